/** Records: each field at its offset. */
import { invalidType, invalidValue } from '../errors.js'
import type { Field, RecordType } from './record-type.js'
import { copyInto } from '../intrinsics.js'
import { reserve, type Space, trim, usual } from '../addon/scratch.js'
import { blockConstructor, toBlock } from './block.js'
import { bytesOf } from './bytes.js'
import { ACCESS, checkCell } from './cell.js'
import type { MessageCodec } from './message.js'
import { elementsOf } from './view.js'

/** How one field is checked, then written to the scratch buffer, and read from it. */
interface FieldCodec {
  readonly name: string
  /** Answers what is to be written; throws what it is not. */
  check(value: unknown): unknown
  write(to: Space, value: never): void
  read(from: Space): unknown
}

/** As errors name it. Made once, and not for each item. */
const pathOf = (name: string) => `item.${name}`

function scalarCodec({ name, type, offset }: Field): FieldCodec {
  const { kind, write, read } = ACCESS[type as keyof typeof ACCESS]
  const path = pathOf(name)
  return {
    name,
    check(value) {
      if (typeof value !== kind) checkCell(path, kind, value)
      return value
    },
    write: ({ view }, value) => write(view, offset, value),
    read: ({ view }) => read(view, offset),
  }
}

function arrayCodec({ name, type, offset }: Field, length: number): FieldCodec {
  const element = type === 'bytes' ? 'uint8' : (type as Exclude<Field['type'], 'bytes' | 'boolean'>)
  const constructor = blockConstructor(element)
  const path = pathOf(name)
  const expected = `${length} ${type === 'bytes' ? 'bytes' : `elements of ${type}`}`
  return {
    name,
    check(value) {
      const iterable = typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'
      if (type !== 'bytes' && !iterable) throw invalidType(path, expected, value)
      const block = type === 'bytes' ? bytesOf(value, path) : toBlock(element, value as Iterable<unknown>, path)
      if (elementsOf(block) !== length) throw invalidValue(path, expected, value)
      return block
    },
    write: ({ buffer }, value) => copyInto(new constructor(buffer, offset, length), value),
    read({ buffer }) {
      const block = new constructor(length)
      copyInto(block, new constructor(buffer, offset, length))
      return block
    },
  }
}

export function recordCodec(type: RecordType): MessageCodec<unknown> {
  const fields = type.layout.map((field) => (field.length === undefined ? scalarCodec(field) : arrayCodec(field, field.length)))
  const hasGaps = type.layout.reduce((sum, { bytes }) => sum + bytes, 0) < type.bytes
  // Its fields are properties of its own, whatever Object.prototype may have been given.
  const template = Object.fromEntries(fields.map(({ name }) => [name, undefined]))
  const isLong = type.bytes > usual.size
  const space = (): Space => (isLong ? reserve(type.bytes) : usual)
  return {
    encode(item) {
      if (typeof item !== 'object' || item === null)
        throw invalidType('item', `an object with the fields ${Object.keys(type.fields).join(', ')}`, item)
      // All are read before any is written: a getter is other code, and may use a queue itself.
      const values = fields.map(({ name, check }) => check((item as Record<string, unknown>)[name]))
      const to = space()
      // Bytes between the fields are the same for equal records.
      if (hasGaps) to.bytes.fill(0, 0, type.bytes)
      for (let k = 0; k < fields.length; k++) (fields[k] as FieldCodec).write(to, values[k] as never)
      return type.bytes
    },
    decode() {
      const item: Record<string, unknown> = { ...template }
      const from = space()
      for (let k = 0; k < fields.length; k++) {
        const { name, read } = fields[k] as FieldCodec
        item[name] = read(from)
      }
      if (isLong) trim()
      return item
    },
  }
}
