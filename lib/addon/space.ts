/**
 * Where items are encoded and decoded: a staging area of the queue's memory, which WebAssembly
 * reaches, or the thread's buffer, which the addon reaches. The addon owns that buffer, so all
 * evaluations of this module in a thread share it.
 */
import { withCode } from '../errors.js'
import { native } from './native.js'

/** Lengths have 32 bits. */
export const MOST_BYTES = 2 ** 32 - 1

/**
 * The methods of a Buffer that are used here. Buffer's own `write()` and `toString()` look these up
 * and call them.
 */
export interface Bytes extends Uint8Array<ArrayBuffer> {
  latin1Write(text: string, at: number): number
  ucs2Write(text: string, at: number): number
  latin1Slice(from: number, to: number): string
  ucs2Slice(from: number, to: number): string
}

/** A part of a buffer, and the views through which it is written and read. */
export interface Space {
  readonly size: number
  readonly buffer: ArrayBufferLike
  /** Where it begins in the buffer: a multiple of 8. */
  readonly offset: number
  readonly bytes: Bytes
  readonly view: DataView
}

/**
 * A prototype with the methods that a class has when the package is loaded. Our buffers have it,
 * because a program or a test may replace a method later. The replacement would be given our
 * buffer, and could use a queue in the middle of another call.
 */
function methodsOf(prototype: object, names: readonly string[]): object {
  const methods = Object.create(null) as object
  for (const name of names) Object.defineProperty(methods, name, propertyOf(prototype, name))
  return Object.freeze(methods)
}

function propertyOf(prototype: object, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(prototype, name) ?? propertyOf(Object.getPrototypeOf(prototype) as object, name)
}

// Node's methods read the accessors among these.
const BYTES_METHODS = methodsOf(Buffer.prototype, [
  ...['fill', 'latin1Write', 'ucs2Write', 'latin1Slice', 'ucs2Slice'],
  ...['buffer', 'byteOffset', 'byteLength', 'length'],
])
const VIEW_METHODS = methodsOf(
  DataView.prototype,
  ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'BigInt64', 'BigUint64', 'Float32', 'Float64'].flatMap((type) => [
    `get${type}`,
    `set${type}`,
  ]),
)
const { setPrototypeOf } = Object
const { from: bufferOver, allocUnsafeSlow: allocate } = Buffer

/** A space of `size` bytes of that buffer, from `offset` on. */
export function spaceOver(buffer: ArrayBufferLike, offset: number, size: number): Space {
  const bytes = setPrototypeOf(bufferOver(buffer as ArrayBuffer, offset, size), BYTES_METHODS) as Bytes
  const view = setPrototypeOf(new DataView(buffer, offset, size), VIEW_METHODS) as DataView
  return { size, buffer, offset, bytes, view }
}

/** The thread's buffer. */
export const scratch = spaceOver(native.scratchBuffer(), 0, native.scratchBytes)

/** Throws if that is more than any queue holds. */
export function checkLength(bytes: number): void {
  if (bytes > MOST_BYTES)
    throw withCode(new RangeError(`The item takes ${bytes} bytes, a queue holds at most ${MOST_BYTES}`), 'ERR_ITEM_TOO_LARGE')
}

/** A new buffer, not zeroed. */
export function freshBytes(length: number): Bytes {
  return setPrototypeOf(allocate(length), BYTES_METHODS) as Bytes
}
