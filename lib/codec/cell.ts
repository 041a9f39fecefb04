/** Elements of at most 8 bytes, which go through the scratch buffer only when a call blocks: numbers, bigints, booleans. */
import { invalidType } from '../errors.js'
import type { ScalarType } from './record-type.js'
import { scratchView } from '../addon/scratch.js'

/** How a value of that type is written to memory and read from it, at a place in a DataView; converted as by the typed array of that name. */
export interface CellAccess {
  readonly kind: 'number' | 'bigint' | 'boolean'
  write(view: DataView, offset: number, value: never): void
  read(view: DataView, offset: number): number | bigint | boolean
}

// Every platform that Node runs on with this package is little-endian, and the core writes in the platform's order.
const LITTLE = true

export const ACCESS: Readonly<Record<ScalarType, CellAccess>> = {
  boolean: { kind: 'boolean', write: (v, o, x: boolean) => v.setUint8(o, x ? 1 : 0), read: (v, o) => v.getUint8(o) !== 0 },
  int8: { kind: 'number', write: (v, o, x: number) => v.setInt8(o, x), read: (v, o) => v.getInt8(o) },
  uint8: { kind: 'number', write: (v, o, x: number) => v.setUint8(o, x), read: (v, o) => v.getUint8(o) },
  int16: { kind: 'number', write: (v, o, x: number) => v.setInt16(o, x, LITTLE), read: (v, o) => v.getInt16(o, LITTLE) },
  uint16: { kind: 'number', write: (v, o, x: number) => v.setUint16(o, x, LITTLE), read: (v, o) => v.getUint16(o, LITTLE) },
  int32: { kind: 'number', write: (v, o, x: number) => v.setInt32(o, x, LITTLE), read: (v, o) => v.getInt32(o, LITTLE) },
  uint32: { kind: 'number', write: (v, o, x: number) => v.setUint32(o, x, LITTLE), read: (v, o) => v.getUint32(o, LITTLE) },
  bigint64: { kind: 'bigint', write: (v, o, x: bigint) => v.setBigInt64(o, x, LITTLE), read: (v, o) => v.getBigInt64(o, LITTLE) },
  biguint64: { kind: 'bigint', write: (v, o, x: bigint) => v.setBigUint64(o, x, LITTLE), read: (v, o) => v.getBigUint64(o, LITTLE) },
  float32: { kind: 'number', write: (v, o, x: number) => v.setFloat32(o, x, LITTLE), read: (v, o) => v.getFloat32(o, LITTLE) },
  float64: { kind: 'number', write: (v, o, x: number) => v.setFloat64(o, x, LITTLE), read: (v, o) => v.getFloat64(o, LITTLE) },
}

export function checkCell(name: string, kind: CellAccess['kind'], value: unknown): void {
  if (typeof value !== kind) throw invalidType(name, `a ${kind}`, value)
}

export function writeCell(access: CellAccess, value: unknown): void {
  access.write(scratchView, 0, value as never)
}

export function readCell(access: CellAccess): unknown {
  return access.read(scratchView, 0)
}
