/**
 * The buffer between JavaScript and the addon: an item is encoded into it and then put by one call, or got by one call and then decoded
 * from it. One for all queues of a thread, as no other code runs between those two steps. It belongs to the addon, so all evaluations of
 * this module in a thread have the same; an item that is longer passes through a buffer of this module's, which each call is given.
 */
import { withCode } from '../errors.js'
import { native } from './native.js'

/** Lengths have 32 bits. */
const MOST_BYTES = 2 ** 32 - 1
/** The most that passes through the addon's buffer. */
export const USUAL_BYTES = native.scratchBytes

/** The methods of a Buffer that are used here. What its own `write()` and `toString()` look up, and call. */
interface Bytes extends Uint8Array<ArrayBuffer> {
  latin1Write(text: string, at: number): number
  ucs2Write(text: string, at: number): number
  latin1Slice(from: number, to: number): string
  ucs2Slice(from: number, to: number): string
}

/** A buffer, and what is needed to write to it and read from it. */
export interface Space {
  readonly size: number
  readonly buffer: ArrayBuffer
  readonly bytes: Bytes
  readonly view: DataView
}

/**
 * A prototype with the methods that a class has when the package is loaded. The buffers have these: a method that is looked up at each call is whatever a
 * program or a test has put in its place, which would be given the buffer, and could use a queue in the middle of another call.
 */
function methodsOf(prototype: object, names: readonly string[]): object {
  const methods = Object.create(null) as object
  for (const name of names) Object.defineProperty(methods, name, propertyOf(prototype, name))
  return Object.freeze(methods)
}

function propertyOf(prototype: object, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(prototype, name) ?? propertyOf(Object.getPrototypeOf(prototype) as object, name)
}

// The accessors are what Node's methods ask for.
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
const { from: bufferOver } = Buffer

function spaceOver(buffer: ArrayBuffer, size: number): Space {
  const bytes = setPrototypeOf(bufferOver(buffer), BYTES_METHODS) as Bytes
  const view = setPrototypeOf(new DataView(buffer), VIEW_METHODS) as DataView
  return { size, buffer, bytes, view }
}

/** The addon's buffer. */
export const usual = spaceOver(native.scratchBuffer(), USUAL_BYTES)
export const { bytes: scratch, view: scratchView } = usual

let long: Space | undefined

/** Where an item of that length passes through. What is in it stays, unless it has to be made longer. */
export function reserve(bytes: number): Space {
  if (bytes <= USUAL_BYTES) return usual
  if (long && bytes <= long.size) return long
  if (bytes > MOST_BYTES) {
    throw withCode(new RangeError(`The item takes ${bytes} bytes, a queue holds at most ${MOST_BYTES}`), 'ERR_ITEM_TOO_LARGE')
  }
  const size = Math.min(2 ** Math.ceil(Math.log2(bytes)), MOST_BYTES)
  return (long = spaceOver(new ArrayBuffer(size), size))
}

/** For calls of the addon: what takes an item that does not pass through its own buffer. */
export function longBuffer(): Uint8Array | undefined {
  return long?.bytes
}

/** To be called when an item is out of its buffer: one that was very long shall not hold memory for ever. */
export function trim(): void {
  if (long && long.size > 16 * USUAL_BYTES) long = undefined
}
