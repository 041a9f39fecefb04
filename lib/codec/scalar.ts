/** The types of a single number, bigint or boolean: one row for each. */
import { scratch } from '../addon/space.js'
import { invalidType } from '../errors.js'

/** The types of a numeric queue's elements. */
export type NumericType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'bigint64' | 'biguint64' | 'float32' | 'float64'

/** The types of a record's fields, other than arrays. */
export type ScalarType = NumericType | 'boolean'

/** The typed array of each numeric type. */
export interface ArrayTypes {
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  bigint64: BigInt64Array
  biguint64: BigUint64Array
  float32: Float32Array
  float64: Float64Array
  bytes: Uint8Array
}

export interface Scalar {
  readonly bytes: number
  /** The `typeof` of its values. */
  readonly kind: 'number' | 'bigint' | 'boolean'
  /** The class of typed arrays of such elements; for booleans, that of their stored form. */
  readonly array: unknown
  /** Writes a value at a place in a DataView, converted as by the typed array of that name. */
  write(view: DataView, offset: number, value: never): void
  read(view: DataView, offset: number): number | bigint | boolean
}

// The core writes in the platform's byte order, and all platforms that the package supports are
// little-endian.
const LITTLE = true

/* prettier-ignore */
export const SCALARS: Readonly<Record<ScalarType, Scalar>> = {
  boolean: { bytes: 1, kind: 'boolean', array: Uint8Array, write: (v, o, x: boolean) => v.setUint8(o, x ? 1 : 0), read: (v, o) => v.getUint8(o) !== 0 },
  int8: { bytes: 1, kind: 'number', array: Int8Array, write: (v, o, x: number) => v.setInt8(o, x), read: (v, o) => v.getInt8(o) },
  uint8: { bytes: 1, kind: 'number', array: Uint8Array, write: (v, o, x: number) => v.setUint8(o, x), read: (v, o) => v.getUint8(o) },
  int16: { bytes: 2, kind: 'number', array: Int16Array, write: (v, o, x: number) => v.setInt16(o, x, LITTLE), read: (v, o) => v.getInt16(o, LITTLE) },
  uint16: { bytes: 2, kind: 'number', array: Uint16Array, write: (v, o, x: number) => v.setUint16(o, x, LITTLE), read: (v, o) => v.getUint16(o, LITTLE) },
  int32: { bytes: 4, kind: 'number', array: Int32Array, write: (v, o, x: number) => v.setInt32(o, x, LITTLE), read: (v, o) => v.getInt32(o, LITTLE) },
  uint32: { bytes: 4, kind: 'number', array: Uint32Array, write: (v, o, x: number) => v.setUint32(o, x, LITTLE), read: (v, o) => v.getUint32(o, LITTLE) },
  bigint64: { bytes: 8, kind: 'bigint', array: BigInt64Array, write: (v, o, x: bigint) => v.setBigInt64(o, x, LITTLE), read: (v, o) => v.getBigInt64(o, LITTLE) },
  biguint64: { bytes: 8, kind: 'bigint', array: BigUint64Array, write: (v, o, x: bigint) => v.setBigUint64(o, x, LITTLE), read: (v, o) => v.getBigUint64(o, LITTLE) },
  float32: { bytes: 4, kind: 'number', array: Float32Array, write: (v, o, x: number) => v.setFloat32(o, x, LITTLE), read: (v, o) => v.getFloat32(o, LITTLE) },
  float64: { bytes: 8, kind: 'number', array: Float64Array, write: (v, o, x: number) => v.setFloat64(o, x, LITTLE), read: (v, o) => v.getFloat64(o, LITTLE) },
}

export function isScalarType(type: string): type is ScalarType {
  return Object.hasOwn(SCALARS, type)
}

export function checkKind(name: string, kind: Scalar['kind'], value: unknown): void {
  if (typeof value !== kind) throw invalidType(name, `a ${kind}`, value)
}

/**
 * Writes a value to the beginning of the thread's buffer, from where the addon takes single values.
 */
export function writeScalar(scalar: Scalar, value: unknown): void {
  scalar.write(scratch.view, 0, value as never)
}

export function readScalar(scalar: Scalar): unknown {
  return scalar.read(scratch.view, 0)
}
