/**
 * Reads views by what they really are, not by their class or properties, since user code may
 * override each of their accessors. The functions are taken when the package is loaded, and not
 * called by way of `call`, which a program may have replaced: some run while an item is on its way.
 */
import { uncurried } from '../intrinsics.js'

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object

function getter<T>(prototype: object, key: PropertyKey): (object: unknown) => T {
  return uncurried(Object.getOwnPropertyDescriptor(prototype, key)?.get as () => T)
}

const nameOf = getter<string | undefined>(TYPED_ARRAY, Symbol.toStringTag)
const keys = uncurried(Uint8Array.prototype.keys as () => unknown)

interface Accessors {
  buffer: (view: unknown) => ArrayBuffer
  byteOffset: (view: unknown) => number
  byteLength: (view: unknown) => number
}
const accessors = (prototype: object): Accessors => ({
  buffer: getter(prototype, 'buffer'),
  byteOffset: getter(prototype, 'byteOffset'),
  byteLength: getter(prototype, 'byteLength'),
})
const OF_TYPED_ARRAY = accessors(TYPED_ARRAY)
const lengthOf = getter<number>(TYPED_ARRAY, 'length')
const OF_DATA_VIEW = accessors(DataView.prototype)

/** The built-in class of a view: 'Uint8Array' for a Buffer, or a user's class that extends it. */
export function viewName(view: ArrayBufferView): string {
  return nameOf(view) ?? 'DataView'
}

/**
 * The bytes that a view shows; throws a TypeError if its buffer is detached, or has become too
 * short for it.
 */
export function bytesOfView(view: ArrayBufferView): Uint8Array {
  const isTypedArray = nameOf(view) !== undefined
  const { buffer, byteOffset, byteLength } = isTypedArray ? OF_TYPED_ARRAY : OF_DATA_VIEW
  const length = byteLength(view)
  // A typed array that is out of bounds says that it is empty, but can't be used.
  if (length === 0 && isTypedArray) keys(view)
  return new Uint8Array(buffer(view), byteOffset(view), length)
}

/** The number of elements that a typed array really has. */
export function elementsOf(array: NodeJS.TypedArray): number {
  return lengthOf(array)
}

/**
 * The arguments with which a constructor of views makes a view of the array's bytes from `bytes`
 * on.
 */
export function placeOf(array: NodeJS.TypedArray, bytes: number): [buffer: ArrayBuffer, byteOffset: number] {
  return [OF_TYPED_ARRAY.buffer(array), OF_TYPED_ARRAY.byteOffset(array) + bytes]
}
