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

/** The name that errors give it. Made once, and not for each item. */
const pathOf = (argument: string, name: string) => `${argument}.${name}`

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
  /** A single one, the most frequent. */
  readonly isFloat64: boolean
  readonly array: ArrayAccess | undefined
}

function fieldCodec({ name, type, offset, length, bytes }: Field, argument: string): FieldCodec {
  const path = pathOf(argument, name)
  if (length === undefined)
    return { name, path, offset, type, kind: SCALARS[type as ScalarType].kind, isFloat64: type === 'float64', array: undefined }
  const array = arrayAccess({ type: type as ParsedArray['type'], length, bytes })
  return { name, path, offset, type, kind: undefined, isFloat64: false, array }
}

function check({ path, kind, array }: FieldCodec, value: unknown): unknown {
  if (array) return array.check(value, path)
  if (typeof value !== kind) checkKind(path, kind as Scalar['kind'], value)
  return value
}

function write({ path, type, array, offset, isFloat64 }: FieldCodec, to: Space, at: number, value: unknown): void {
  if (isFloat64) to.view.setFloat64(at + offset, value as number, true)
  else if (array) array.write(to, at + offset, value as Block, path)
  else SCALARS[type as ScalarType].write(to.view, at + offset, value as never)
}

function read({ type, array, offset, isFloat64 }: FieldCodec, from: Space, at: number): unknown {
  if (isFloat64) return from.view.getFloat64(at + offset, true)
  if (!array) return SCALARS[type as ScalarType].read(from.view, at + offset)
  const block = array.create()
  copyInto(block, array.at(from, at + offset))
  return block
}

/**
 * The first fields have code of their own: V8 knows a property's place in the objects where it is
 * always the same property.
 */
const UNROLLED = 8

/** The padding bytes: fewer than 8 behind each field. */
function gapsOf({ layout, bytes }: RecordType): number[] {
  const gaps: number[] = []
  layout.forEach((field, k) => {
    const next = layout[k + 1]?.offset ?? bytes
    for (let at = field.offset + field.bytes; at < next; at++) gaps.push(at)
  })
  return gaps
}

/** `argument`: as errors name the item. */
export function recordCodec(type: RecordType, argument: string): MessageCodec<unknown> {
  const fields = type.layout.map((field) => fieldCodec(field, argument))
  const count = fields.length
  const gaps = gapsOf(type)
  // The fields are own properties, whatever a program has added to Object.prototype.
  const template = Object.fromEntries(fields.map(({ name }) => [name, undefined]))
  const writeAll = (to: Space, at: number, values: readonly unknown[]): void => {
    // Equal records have equal bytes.
    for (let k = 0; k < gaps.length; k++) to.view.setUint8(at + (gaps[k] as number), 0)
    for (let k = 0; k < count; k++) write(fields[k] as FieldCodec, to, at, values[k])
  }
  const [first, second, third, fourth, fifth, sixth, seventh, eighth] = fields as [FieldCodec, ...(FieldCodec | undefined)[]]
  const readAll = (from: Space, at: number): unknown => {
    const item: Record<string, unknown> = { ...template }
    item[first.name] = read(first, from, at)
    if (second) item[second.name] = read(second, from, at)
    if (third) item[third.name] = read(third, from, at)
    if (fourth) item[fourth.name] = read(fourth, from, at)
    if (!fifth) return item
    item[fifth.name] = read(fifth, from, at)
    if (sixth) item[sixth.name] = read(sixth, from, at)
    if (seventh) item[seventh.name] = read(seventh, from, at)
    if (eighth) item[eighth.name] = read(eighth, from, at)
    for (let k = UNROLLED; k < count; k++) {
      const field = fields[k] as FieldCodec
      item[field.name] = read(field, from, at)
    }
    return item
  }
  return {
    encode(item, hand) {
      if (typeof item !== 'object' || item === null)
        throw invalidType(argument, `an object with the fields ${Object.keys(type.fields).join(', ')}`, item)
      // All fields are read before any is written, since a getter is user code, and may use a queue
      // itself.
      const given = item as Record<string, unknown>
      const values = [
        check(first, given[first.name]),
        second && check(second, given[second.name]),
        third && check(third, given[third.name]),
        fourth && check(fourth, given[fourth.name]),
      ]
      if (fifth) {
        values.push(
          check(fifth, given[fifth.name]),
          sixth && check(sixth, given[sixth.name]),
          seventh && check(seventh, given[seventh.name]),
          eighth && check(eighth, given[eighth.name]),
        )
      }
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

/** What fields are written over: a record that is there. */
export interface FieldsTarget {
  /**
   * So many fields are to be written. Returns where the record is, at `at`; undefined where they
   * are not to be written after all.
   */
  begin(count: number, after: number): Space | undefined
  /** They are written. False: again. */
  end(): boolean
}

/** What writes some of a record's fields. */
export interface FieldsCodec {
  /**
   * Writes the fields that `given` has over the target, which is told `after`. Throws for the first
   * that is not of its type, before anything else. No code of the user's runs while the target is
   * written. Returns false where the target did not want them.
   */
  write(given: unknown, target: FieldsTarget, after: number): boolean
  /** Writes zeros where no field is. */
  writeGaps(to: Space): void
}

/** `argument`, as errors name it, is the object with the fields. */
export function fieldsCodec(type: RecordType, argument: string): FieldsCodec {
  const fields = type.layout.map((field) => fieldCodec(field, argument))
  const gaps = gapsOf(type)
  const { length } = fields
  const [first, second, third, fourth, fifth, sixth, seventh, eighth] = fields as [FieldCodec, ...(FieldCodec | undefined)[]]
  const checkSome = (field: FieldCodec | undefined, value: unknown): unknown => {
    return value === undefined ? undefined : check(field as FieldCodec, value)
  }
  const none: readonly unknown[] = []
  const checkRest = (from: Record<string, unknown>): readonly unknown[] => {
    return fields.slice(UNROLLED).map((field) => checkSome(field, from[field.name]))
  }
  const count = (value: unknown): number => (value === undefined ? 0 : 1)
  // A function of its own: V8 inlines so much into each, and no more.
  const writeAll = (
    target: FieldsTarget,
    after: number,
    one: unknown,
    two: unknown,
    three: unknown,
    four: unknown,
    five: unknown,
    six: unknown,
    seven: unknown,
    eight: unknown,
    rest: readonly unknown[],
  ): boolean => {
    let counted = count(one) + count(two) + count(three) + count(four) + count(five) + count(six) + count(seven) + count(eight)
    for (let k = 0; k < rest.length; k++) counted += count(rest[k])
    do {
      const to = target.begin(counted, after)
      if (!to) return false
      if (one !== undefined) write(first, to, 0, one)
      if (two !== undefined) write(second as FieldCodec, to, 0, two)
      if (three !== undefined) write(third as FieldCodec, to, 0, three)
      if (four !== undefined) write(fourth as FieldCodec, to, 0, four)
      if (five !== undefined) write(fifth as FieldCodec, to, 0, five)
      if (six !== undefined) write(sixth as FieldCodec, to, 0, six)
      if (seven !== undefined) write(seventh as FieldCodec, to, 0, seven)
      if (eight !== undefined) write(eighth as FieldCodec, to, 0, eight)
      for (let k = 0; k < rest.length; k++) {
        if (rest[k] !== undefined) write(fields[UNROLLED + k] as FieldCodec, to, 0, rest[k])
      }
    } while (!target.end())
    return true
  }
  return {
    write(given, target, after) {
      if (typeof given !== 'object' || given === null)
        throw invalidType(argument, `an object with some of the fields ${Object.keys(type.fields).join(', ')}`, given)
      // All are read before any is written, as getters are other code. Each with code of its own,
      // and without an array, for which V8 would make objects of the numbers.
      const from = given as Record<string, unknown>
      return writeAll(
        target,
        after,
        checkSome(first, from[first.name]),
        second && checkSome(second, from[second.name]),
        third && checkSome(third, from[third.name]),
        fourth && checkSome(fourth, from[fourth.name]),
        fifth && checkSome(fifth, from[fifth.name]),
        sixth && checkSome(sixth, from[sixth.name]),
        seventh && checkSome(seventh, from[seventh.name]),
        eighth && checkSome(eighth, from[eighth.name]),
        length > UNROLLED ? checkRest(from) : none,
      )
    },
    writeGaps(to) {
      for (let k = 0; k < gaps.length; k++) to.view.setUint8(gaps[k] as number, 0)
    },
  }
}
