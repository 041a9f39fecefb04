/** Records: each field at its offset. */
import { scratch, type Space, spaceOver } from '../addon/space.js'
import { invalidType } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { arrayAccess } from './array.js'
import type { ParsedArray } from './array-type.js'
import type { MessageCodec } from './message.js'
import type { Field, RecordType } from './record-type.js'
import { checkKind, SCALARS, type ScalarType } from './scalar.js'

/** How one field is checked, then written, and read, of a record that begins at `at`. */
interface FieldCodec {
  readonly name: string
  /** Answers what is to be written; throws what it is not. */
  check(value: unknown): unknown
  write(to: Space, at: number, value: never): void
  read(from: Space, at: number): unknown
}

/** As errors name it. Made once, and not for each item. */
const pathOf = (name: string) => `item.${name}`

function scalarCodec({ name, type, offset }: Field): FieldCodec {
  const { kind, write, read } = SCALARS[type as ScalarType]
  const path = pathOf(name)
  return {
    name,
    check(value) {
      if (typeof value !== kind) checkKind(path, kind, value)
      return value
    },
    write: ({ view }, at, value) => write(view, at + offset, value),
    read: ({ view }, at) => read(view, at + offset),
  }
}

function arrayCodec({ name, type, offset, bytes }: Field, length: number): FieldCodec {
  const access = arrayAccess({ type: type as ParsedArray['type'], length, bytes })
  const path = pathOf(name)
  return {
    name,
    check: (value) => access.check(value, path),
    write: (to, at, value) => copyInto(access.at(to, at + offset), value),
    read(from, at) {
      const block = access.create()
      copyInto(block, access.at(from, at + offset))
      return block
    },
  }
}

export function recordCodec(type: RecordType): MessageCodec<unknown> {
  const fields = type.layout.map((field) => (field.length === undefined ? scalarCodec(field) : arrayCodec(field, field.length)))
  const hasGaps = type.layout.reduce((sum, { bytes }) => sum + bytes, 0) < type.bytes
  // Its fields are properties of its own, whatever Object.prototype may have been given.
  const template = Object.fromEntries(fields.map(({ name }) => [name, undefined]))
  const writeAll = (to: Space, at: number, values: readonly unknown[]): void => {
    // Bytes between the fields are the same for equal records.
    if (hasGaps) to.bytes.fill(0, at, at + type.bytes)
    for (let k = 0; k < fields.length; k++) (fields[k] as FieldCodec).write(to, at, values[k] as never)
  }
  const read = (from: Space, at: number): unknown => {
    const item: Record<string, unknown> = { ...template }
    for (let k = 0; k < fields.length; k++) {
      const { name, read } = fields[k] as FieldCodec
      item[name] = read(from, at)
    }
    return item
  }
  return {
    encode(item, hand) {
      if (typeof item !== 'object' || item === null)
        throw invalidType('item', `an object with the fields ${Object.keys(type.fields).join(', ')}`, item)
      // All are read before any is written: a getter is other code, and may use a queue itself.
      const values = fields.map(({ name, check }) => check((item as Record<string, unknown>)[name]))
      if (type.bytes <= scratch.size || hand.takes(type.bytes)) {
        writeAll(hand.room(type.bytes), hand.at, values)
      } else {
        const own = spaceOver(new ArrayBuffer(type.bytes), 0, type.bytes)
        writeAll(own, 0, values)
        hand.lend(0, own.bytes)
      }
    },
    decode: read,
    isBody: true,
    varies: false,
    receive: (_head, body) => read(spaceOver(body.buffer, body.byteOffset, body.length), 0),
  }
}
