/**
 * Reads views by what they really are, not by their class or properties, since user code may
 * override each of their accessors.
 */

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object

function getter<T>(prototype: object, key: PropertyKey): (this: unknown) => T {
  return Object.getOwnPropertyDescriptor(prototype, key)?.get as () => T
}

const nameOf = getter<string | undefined>(TYPED_ARRAY, Symbol.toStringTag)
const { keys } = Uint8Array.prototype

interface Accessors {
  buffer: () => ArrayBuffer
  byteOffset: () => number
  byteLength: () => number
}
const accessors = (prototype: object): Accessors => ({
  buffer: getter(prototype, 'buffer'),
  byteOffset: getter(prototype, 'byteOffset'),
  byteLength: getter(prototype, 'byteLength'),
})
const OF_TYPED_ARRAY = accessors(TYPED_ARRAY)
const lengthOf = getter<number>(TYPED_ARRAY, 'length')
const { set } = Uint8Array.prototype
const OF_DATA_VIEW = accessors(DataView.prototype)

/** The built-in class of a view: 'Uint8Array' for a Buffer, or a user's class that extends it. */
export function viewName(view: ArrayBufferView): string {
  return nameOf.call(view) ?? 'DataView'
}

/**
 * The bytes that a view shows; throws a TypeError if its buffer is detached, or has become too
 * short for it.
 */
export function bytesOfView(view: ArrayBufferView): Uint8Array {
  const isTypedArray = nameOf.call(view) !== undefined
  const { buffer, byteOffset, byteLength } = isTypedArray ? OF_TYPED_ARRAY : OF_DATA_VIEW
  const length = byteLength.call(view)
  // A typed array that is out of bounds says that it is empty, but can't be used.
  if (length === 0 && isTypedArray) keys.call(view as Uint8Array)
  return new Uint8Array(buffer.call(view), byteOffset.call(view), length)
}

/** The number of elements that a typed array really has. */
export function elementsOf(array: NodeJS.TypedArray): number {
  return lengthOf.call(array)
}

/**
 * The arguments with which a constructor of views makes a view of the array's bytes from `bytes`
 * on.
 */
export function placeOf(array: NodeJS.TypedArray, bytes: number): [buffer: ArrayBuffer, byteOffset: number] {
  return [OF_TYPED_ARRAY.buffer.call(array), OF_TYPED_ARRAY.byteOffset.call(array) + bytes]
}

/** Copies elements between arrays of one type. */
export function copyElements(to: NodeJS.TypedArray, at: number, from: NodeJS.TypedArray): void {
  set.call(to as Uint8Array, from as Uint8Array, at)
}
