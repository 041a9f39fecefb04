/** Record types: items with named numeric fields, which are stored packed, in the layout of a C struct. */
import { invalidType, invalidValue } from './errors.js'

/** What a field of a record, and an element of a numeric queue, can be. */
export type NumericType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'bigint64' | 'biguint64' | 'float32' | 'float64'

export type FieldType = NumericType | 'boolean'

export const FIELD_BYTES: Readonly<Record<FieldType, number>> = {
  boolean: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  bigint64: 8,
  biguint64: 8,
  float32: 4,
  float64: 8,
}

export type FieldTypes = Readonly<Record<string, FieldType>>

/** The object that a record is in JavaScript. */
export type RecordOf<F extends FieldTypes> = {
  -readonly [K in keyof F]: F[K] extends 'boolean' ? boolean : F[K] extends 'bigint64' | 'biguint64' ? bigint : number
}

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** Bytes from the beginning of the record. */
  readonly offset: number
}

/** Made by `record()`. */
export class RecordType<F extends FieldTypes = FieldTypes> {
  /** The types of the fields, in their order. */
  readonly fields: F
  /** Bytes that a record takes, with the padding that natural alignment needs. */
  readonly bytes: number
  /** @internal */
  readonly layout: readonly Field[]

  /** @internal */
  constructor(fields: F) {
    const layout: Field[] = []
    let end = 0
    let alignment = 1
    const align = (offset: number, to: number): number => Math.ceil(offset / to) * to
    for (const [name, type] of Object.entries(fields)) {
      const size = FIELD_BYTES[type]
      const offset = align(end, size)
      layout.push({ name, type, offset })
      end = offset + size
      alignment = Math.max(alignment, size)
    }
    this.fields = Object.freeze({ ...fields })
    this.bytes = align(end, alignment)
    this.layout = layout
    Object.freeze(this)
  }

  /** Whether the other has the same fields in the same order, so that their records have the same bytes. */
  equals(other: RecordType): boolean {
    return JSON.stringify(Object.entries(this.fields)) === JSON.stringify(Object.entries(other.fields))
  }
}

/**
 * A record type for queues: `new ThreadSafeQueue(100, { type: record({ x: 'float64', t: 'biguint64' }) })`. The fields are laid out in
 * their order with natural alignment, as a C compiler lays out a struct of them. Throws a `TypeError`, `ERR_INVALID_ARG_TYPE` or
 * `ERR_INVALID_ARG_VALUE`, if there are no fields or one has no numeric type and is not 'boolean'.
 */
export function record<const F extends FieldTypes>(fields: F): RecordType<F> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw invalidType('fields', 'an object of field types', fields)
  const entries = Object.entries(fields)
  if (entries.length === 0) throw invalidValue('fields', 'an object with at least one field', fields)
  for (const [name, type] of entries) {
    // Reading it back would set the object's prototype.
    if (name === '__proto__') throw invalidValue('fields', 'an object whose fields have other names than __proto__', fields)
    if (typeof type !== 'string' || !Object.hasOwn(FIELD_BYTES, type))
      throw invalidValue(`fields.${name}`, `one of ${Object.keys(FIELD_BYTES).join(', ')}`, type)
  }
  return new RecordType(fields)
}
