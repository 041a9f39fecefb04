/** The types of arrays of fixed length: 'float64[128]', 'bytes[64]'. */
import { type ArrayTypes, isScalarType, type NumericType, SCALARS, type ScalarType } from './scalar.js'

/** An array of so many numbers, or bytes, as an item of a queue or a field of a record. */
export type ArrayType = `${NumericType | 'bytes'}[${number}]`

/** The class of array that comes out. */
export type ArrayOf<Type extends ArrayType> = Type extends `${infer Of extends keyof ArrayTypes}[${number}]` ? ArrayTypes[Of] : never

/** The values that go in: any iterable of numbers, and any buffer or view for bytes. */
export type PutArrayOf<Type extends ArrayType> = Type extends `${infer Of}[${number}]`
  ? Of extends 'bytes'
    ? ArrayBufferView | ArrayBuffer
    : Iterable<Of extends 'bigint64' | 'biguint64' ? bigint : number>
  : never

/** The array types whose items come out as `Item`. */
export type ArrayTypeOf<Item> = { [Of in keyof ArrayTypes]: [Item] extends [ArrayTypes[Of]] ? `${Of}[${number}]` : never }[keyof ArrayTypes]

/** A type that was written as text. */
export interface Parsed {
  readonly type: ScalarType | 'bytes'
  /** The number of elements; undefined if it is not an array. */
  readonly length: number | undefined
  /** Bytes of each. */
  readonly unit: number
}

/** The most elements of an array; more would not fit into any queue. */
const MOST_ELEMENTS = 2 ** 32 - 1

/** Parses a type; undefined for other texts, and for values that are not text. */
export function parseType(text: unknown): Parsed | undefined {
  if (typeof text !== 'string') return undefined
  const [, name = '', count] = /^([a-z0-9]+)(?:\[([1-9][0-9]*)\])?$/.exec(text) ?? []
  const isArray = count !== undefined
  if (name === 'bytes') return isArray && Number(count) <= MOST_ELEMENTS ? { type: name, length: Number(count), unit: 1 } : undefined
  if (!isScalarType(name) || (isArray && (name === 'boolean' || Number(count) > MOST_ELEMENTS))) return undefined
  return { type: name, length: isArray ? Number(count) : undefined, unit: SCALARS[name].bytes }
}

/** An array type, taken apart. */
export interface ParsedArray {
  readonly type: NumericType | 'bytes'
  readonly length: number
  readonly bytes: number
}

/** Parses an array type; undefined for anything else. */
export function parseArrayType(text: unknown): ParsedArray | undefined {
  const parsed = parseType(text)
  if (parsed?.length === undefined) return undefined
  return { type: parsed.type as ParsedArray['type'], length: parsed.length, bytes: parsed.length * parsed.unit }
}

export function isArrayType(type: unknown): type is ArrayType {
  return parseArrayType(type) !== undefined
}
