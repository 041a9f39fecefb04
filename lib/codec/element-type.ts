/** What a queue can hold. */
import { invalidValue } from '../errors.js'
import { type NativeField, native } from '../addon/native.js'
import { type ArrayOf, type ArrayType, type ArrayTypeOf, isArrayType, parseArrayType, type PutArrayOf } from './array-type.js'
import { isRecordType, type PutRecordOf, type RecordOf, type RecordType, type RecordTypeOf, recordTypeOf } from './record-type.js'
import { type ArrayTypes, isScalarType, type NumericType } from './scalar.js'

/** What a queue can hold. */
export type ElementType = 'any' | 'string' | 'bytes' | 'boolean' | NumericType | ArrayType | RecordType

type BigintType = 'bigint64' | 'biguint64'
type NumberType = Exclude<NumericType, BigintType>

/** The items that a queue of that type gives: `ItemOf<'float64'>` is `number`. */
export type ItemOf<Type extends ElementType> =
  Type extends RecordType<infer F>
    ? RecordOf<F>
    : Type extends NumberType
      ? number
      : Type extends BigintType
        ? bigint
        : Type extends 'boolean'
          ? boolean
          : Type extends 'string'
            ? string
            : Type extends 'bytes'
              ? Uint8Array
              : Type extends ArrayType
                ? ArrayOf<Type>
                : unknown

/**
 * The items that a queue of that type takes. For bytes, arrays, and records with arrays in them,
 * these are more types than it gives.
 */
export type PutItemOf<Type extends ElementType> =
  Type extends RecordType<infer F>
    ? PutRecordOf<F>
    : Type extends 'bytes'
      ? ArrayBufferView | ArrayBuffer
      : Type extends ArrayType
        ? PutArrayOf<Type>
        : ItemOf<Type>

/** The type of a batch of its items: `BatchOf<'float64'>` is `Float64Array`. */
export type BatchOf<Type extends ElementType> = Type extends NumericType ? ArrayTypes[Type] : ItemOf<Type>[]

/** The types, other than 'any', of queues that give such items; all types if `Item` is unknown. */
export type TypeOf<Item> = unknown extends Item
  ? ElementType
  : [Item] extends [never]
    ? ElementType
    : [Item] extends [number]
      ? NumberType
      : [Item] extends [bigint]
        ? BigintType
        : [Item] extends [boolean]
          ? 'boolean'
          : [Item] extends [string]
            ? 'string'
            : [Item] extends [Uint8Array]
              ? 'bytes' | ArrayTypeOf<Item>
              : [Item] extends [ArrayTypes[NumericType]]
                ? ArrayTypeOf<Item>
                : [Item] extends [object]
                  ? RecordTypeOf<Item>
                  : never

/**
 * The type of a batch where the program has named the items `Item`, and `type` is that numeric
 * type.
 */
export type NamedBatchOf<Item, Type extends NumericType> = [Item] extends [ItemOf<Type>] ? ArrayTypes[Type] : Item[]

/** The numeric types whose typed array `Batch` is. */
type OfBatch<Type extends NumericType, Batch> = Type extends Type ? ([Batch] extends [ArrayTypes[Type]] ? Type : never) : never

/** The types of queues that give such items in such batches. */
export type TypeOfBatches<Item, Batch> = [Batch] extends [Item[]]
  ? 'any' | Exclude<TypeOf<Item>, NumericType>
  : OfBatch<Extract<TypeOf<Item>, NumericType>, Batch>

const CELL_BYTES = 8

type TypeName = Exclude<ElementType, RecordType | ArrayType>

function isTypeName(type: string): type is TypeName {
  return type !== 'record' && type !== 'array' && Object.hasOwn(native.elementTypes, type)
}

/** Names of types in other languages and libraries. */
const OTHER_NAMES: Readonly<Record<string, TypeName>> = {
  number: 'float64',
  double: 'float64',
  f64: 'float64',
  float: 'float32',
  f32: 'float32',
  int: 'int32',
  integer: 'int32',
  i8: 'int8',
  i16: 'int16',
  short: 'int16',
  i32: 'int32',
  uint: 'uint32',
  u8: 'uint8',
  byte: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  bigint: 'bigint64',
  int64: 'bigint64',
  i64: 'bigint64',
  long: 'bigint64',
  uint64: 'biguint64',
  u64: 'biguint64',
  bool: 'boolean',
  text: 'string',
  str: 'string',
  utf8: 'string',
  buffer: 'bytes',
  binary: 'bytes',
  blob: 'bytes',
  arraybuffer: 'bytes',
  uint8array: 'bytes',
  object: 'any',
  json: 'any',
  array: 'any',
  unknown: 'any',
}

/** A hint at what was meant by something that is no type; empty if there is no telling. */
function meant(type: unknown): string {
  if (typeof type === 'object' && type !== null) return 'A type of objects with such fields is made by record()'
  const given = typeof type === 'function' ? type.name : type
  if (typeof given !== 'string') return ''
  const name = given.toLowerCase()
  const element = name.replace(/array$/, '')
  const found = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : [name, element].find(isTypeName)
  return found ? `Did you mean '${found}'?` : ''
}

export function checkElementType(type: unknown): ElementType {
  if (typeof type === 'string' && isTypeName(type)) return type
  if (isArrayType(type)) return type
  const recordType = recordTypeOf(type)
  if (recordType) return recordType
  const names = Object.keys(native.elementTypes).filter(isTypeName)
  throw invalidValue(
    'options.type',
    `one of ${names.join(', ')}, an array as 'float32[128]' or 'bytes[16]', or what record() made`,
    type,
    meant(type),
  )
}

/** Whether they are the same type, or records with the same fields. */
export function isSameType(one: ElementType, other: ElementType): boolean {
  return isRecordType(one) && isRecordType(other) ? one.equals(other) : one === other
}

/** The type's number in the shared memory. */
export function typeCode(type: ElementType): number {
  return native.elementTypes[isRecordType(type) ? 'record' : isArrayType(type) ? 'array' : type] as number
}

/** A record's fields in the form that native code takes; undefined for other types. */
export function nativeFieldsOf(type: ElementType): NativeField[] | undefined {
  if (!isRecordType(type)) return undefined
  return type.layout.map(({ name, type, offset, bytes }) => ({ name, type: typeCode(type), offset, bytes }))
}

/**
 * The bytes of an item that takes one slot. `itemBytes` counts only for types without a fixed size.
 */
export function itemBytesOf(type: ElementType, itemBytes: number): number {
  if (isRecordType(type)) return type.bytes
  const array = parseArrayType(type)
  if (array) return array.bytes
  return isScalarType(type) ? CELL_BYTES : itemBytes
}
