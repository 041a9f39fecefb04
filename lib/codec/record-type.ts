/**
 * Record types: items with named fields - numbers, arrays of numbers, bytes - which are stored
 * packed, in the layout of a C struct.
 */
import { invalidType, invalidValue } from '../errors.js'
import { type ArrayOf, type ArrayType, type Parsed, parseType, type PutArrayOf } from './array-type.js'
import { SCALARS, type ScalarType } from './scalar.js'

/** A scalar, or an array: 'float32[128]' is a Float32Array, 'bytes[16]' a Uint8Array. */
export type FieldType = ScalarType | ArrayType

/** The fields of a record, by name, in their order. */
export type FieldTypes = Readonly<Record<string, FieldType>>

type ValueOf<T extends FieldType> = T extends ArrayType
  ? ArrayOf<T>
  : T extends 'boolean'
    ? boolean
    : T extends 'bigint64' | 'biguint64'
      ? bigint
      : number

/** The object that a record is in JavaScript. */
export type RecordOf<F extends FieldTypes> = { -readonly [K in keyof F]: ValueOf<F[K]> }

type PutValueOf<T extends FieldType> = T extends ArrayType ? PutArrayOf<T> : ValueOf<T>

/**
 * The objects that a queue of such records takes. Any iterable of numbers will do for an array of
 * them, and any buffer or view for bytes.
 */
export type PutRecordOf<F extends FieldTypes> = { -readonly [K in keyof F]: PutValueOf<F[K]> }

declare const item: unique symbol

/** @internal A field's place in the memory of a record. */
export interface Field {
  readonly name: string
  readonly type: ScalarType | 'bytes'
  /** The number of elements; undefined if the field is not an array. */
  readonly length: number | undefined
  /** Bytes from the beginning of the record. */
  readonly offset: number
  /** Bytes that it takes. */
  readonly bytes: number
}

/**
 * Marks record types, including those of other evaluations of this module and other copies of the
 * package.
 */
const RECORD_TYPE = Symbol.for('threadsafe.record')

/**
 * A record type that takes and gives items of exactly that type: no field more, none fewer.
 * (TypeScript compares a property that is a function both ways, while the method of `RecordType`
 * lets each be a `RecordType`.)
 */
export type RecordTypeOf<Item> = RecordType & { readonly [item]?: (item: Item) => Item }

/** Made by `record()`. */
export class RecordType<F extends FieldTypes = FieldTypes> {
  /** For the compiler alone. */
  [item]?(item: RecordOf<F>): RecordOf<F>
  /** The types of the fields, in their order. */
  readonly fields: F
  /** Bytes that a record takes, with the padding that natural alignment needs. */
  readonly bytes: number
  /** @internal */
  readonly layout: readonly Field[]

  /** @internal */
  constructor(given: F) {
    // Read once: it may have getters.
    const fields = { ...given }
    checkFields(fields)
    const layout: Field[] = []
    let end = 0
    let alignment = 1
    const align = (offset: number, to: number): number => Math.ceil(offset / to) * to
    for (const [name, fieldType] of Object.entries(fields)) {
      const { type, length, unit } = parseType(fieldType) as Parsed
      const offset = align(end, unit)
      const bytes = unit * (length ?? 1)
      layout.push({ name, type, length, offset, bytes })
      end = offset + bytes
      alignment = Math.max(alignment, unit)
    }
    this.fields = Object.freeze(fields)
    this.bytes = align(end, alignment)
    this.layout = layout
    Object.freeze(this)
  }

  /** @internal */
  get [RECORD_TYPE](): true {
    return true
  }

  /**
   * Whether the other has the same fields in the same order, so that their records have the same
   * bytes.
   */
  equals(other: RecordType): boolean {
    return JSON.stringify(Object.entries(this.fields)) === JSON.stringify(Object.entries(other.fields))
  }
}

/**
 * A record type for queues: `new ThreadSafeQueue(100, { type: record({ x: 'float64', t: 'biguint64'
 * }) })`. The fields are laid out in their order with natural alignment, as a C compiler lays out a
 * struct of them. Throws a `TypeError`, `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE`, if there
 * are no fields or one has another type than a number's, 'boolean', or so many of a number's type
 * or of bytes.
 *
 * @example
 * const frame = record({ timestamp: 'biguint64', samples: 'float32[128]', id: 'bytes[16]' })
 */
export function record<const F extends FieldTypes>(fields: F): RecordType<F> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw invalidType('fields', 'an object of field types', fields)
  return new RecordType(fields)
}

function checkFields(fields: FieldTypes): void {
  const entries = Object.entries(fields)
  if (entries.length === 0) throw invalidValue('fields', 'an object with at least one field', fields)
  for (const [name, type] of entries) {
    // Decoding such a field would set the object's prototype.
    if (name === '__proto__') throw invalidValue('fields', 'an object whose fields have other names than __proto__', fields)
    if (!parseType(type)) {
      const types = Object.keys(SCALARS).join(', ')
      throw invalidValue(`fields.${name}`, `one of ${types}, or an array as 'float32[128]' or 'bytes[16]'`, type)
    }
  }
}

/** Whether it is a type that `recordTypeOf()` has returned, or `record()` made. */
export function isRecordType(type: unknown): type is RecordType {
  return type instanceof RecordType
}

/**
 * Returns the record type; undefined if it is none. A type of another evaluation of this module is
 * converted to one of this.
 */
export function recordTypeOf(type: unknown): RecordType | undefined {
  if (isRecordType(type)) return type
  const isOther = typeof type === 'object' && type !== null && (type as { [RECORD_TYPE]?: unknown })[RECORD_TYPE] === true
  return isOther ? record((type as RecordType).fields) : undefined
}
