/** Records: each field at its offset. */
import { scratch, type Space, spaceOver } from '../addon/space.js'
import { invalidType } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { type ArrayAccess, arrayAccess } from './array.js'
import type { ParsedArray } from './array-type.js'
import type { Block } from './block.js'
import type { MessageCodec } from './message.js'
import type { Field, RecordType } from './record-type.js'
import { checkKind, type Scalar, SCALARS, type ScalarType } from './scalar.js'

/** As errors name it. Made once, and not for each item. */
const pathOf = (name: string) => `item.${name}`

/**
 * A field. An array has functions here that check, write and read it; scalars are handled by the
 * functions of their kind below.
 */
interface FieldCodec {
  readonly name: string
  readonly path: string
  readonly offset: number
  readonly type: Field['type']
  readonly kind: Scalar['kind'] | undefined
  readonly array: ArrayAccess | undefined
}

function fieldCodec({ name, type, offset, length, bytes }: Field): FieldCodec {
  const path = pathOf(name)
  if (length === undefined) return { name, path, offset, type, kind: SCALARS[type as ScalarType].kind, array: undefined }
  const array = arrayAccess({ type: type as ParsedArray['type'], length, bytes })
  return { name, path, offset, type, kind: undefined, array }
}

function check({ path, kind, array }: FieldCodec, value: unknown): unknown {
  if (array) return array.check(value, path)
  if (typeof value !== kind) checkKind(path, kind as Scalar['kind'], value)
  return value
}

function write({ type, array, offset }: FieldCodec, to: Space, at: number, value: unknown): void {
  if (array) copyInto(array.at(to, at + offset), value as Block)
  else if (type === 'float64') to.view.setFloat64(at + offset, value as number, true)
  else SCALARS[type as ScalarType].write(to.view, at + offset, value as never)
}

function read({ type, array, offset }: FieldCodec, from: Space, at: number): unknown {
  if (type === 'float64' && !array) return from.view.getFloat64(at + offset, true)
  if (!array) return SCALARS[type as ScalarType].read(from.view, at + offset)
  const block = array.create()
  copyInto(block, array.at(from, at + offset))
  return block
}

/**
 * The first fields have code of their own: V8 knows a property's place in the objects where it is
 * always the same property.
 */
const UNROLLED = 4

/** The padding bytes: fewer than 8 behind each field. */
function gapsOf({ layout, bytes }: RecordType): number[] {
  const gaps: number[] = []
  layout.forEach((field, k) => {
    const next = layout[k + 1]?.offset ?? bytes
    for (let at = field.offset + field.bytes; at < next; at++) gaps.push(at)
  })
  return gaps
}

export function recordCodec(type: RecordType): MessageCodec<unknown> {
  const fields = type.layout.map(fieldCodec)
  const count = fields.length
  const gaps = gapsOf(type)
  // The fields are own properties, whatever a program has added to Object.prototype.
  const template = Object.fromEntries(fields.map(({ name }) => [name, undefined]))
  const writeAll = (to: Space, at: number, values: readonly unknown[]): void => {
    // Equal records have equal bytes.
    for (let k = 0; k < gaps.length; k++) to.view.setUint8(at + (gaps[k] as number), 0)
    for (let k = 0; k < count; k++) write(fields[k] as FieldCodec, to, at, values[k])
  }
  const [first, second, third, fourth] = fields as [FieldCodec, ...(FieldCodec | undefined)[]]
  const readAll = (from: Space, at: number): unknown => {
    const item: Record<string, unknown> = { ...template }
    item[first.name] = read(first, from, at)
    if (second) item[second.name] = read(second, from, at)
    if (third) item[third.name] = read(third, from, at)
    if (fourth) item[fourth.name] = read(fourth, from, at)
    for (let k = UNROLLED; k < count; k++) {
      const field = fields[k] as FieldCodec
      item[field.name] = read(field, from, at)
    }
    return item
  }
  return {
    encode(item, hand) {
      if (typeof item !== 'object' || item === null)
        throw invalidType('item', `an object with the fields ${Object.keys(type.fields).join(', ')}`, item)
      // All fields are read before any is written, since a getter is user code, and may use a queue
      // itself.
      const given = item as Record<string, unknown>
      const values = [
        check(first, given[first.name]),
        second && check(second, given[second.name]),
        third && check(third, given[third.name]),
        fourth && check(fourth, given[fourth.name]),
      ]
      for (let k = UNROLLED; k < count; k++) {
        const field = fields[k] as FieldCodec
        values.push(check(field, given[field.name]))
      }
      if (type.bytes <= scratch.size || hand.takes(type.bytes)) {
        writeAll(hand.room(type.bytes), hand.at, values)
      } else {
        const own = spaceOver(new ArrayBuffer(type.bytes), 0, type.bytes)
        writeAll(own, 0, values)
        hand.lend(0, own.bytes)
      }
    },
    decode: readAll,
    isBody: true,
    varies: false,
    receive: (_head, body) => readAll(spaceOver(body.buffer, body.byteOffset, body.length), 0),
  }
}
