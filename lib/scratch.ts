/**
 * The buffer between JavaScript and the addon: an item is encoded into it and then put by one call, or got by one call and then decoded
 * from it. One for all queues of a thread, as no other code runs between those two steps.
 */
import { withCode } from './errors.js'
import { native } from './native.js'

/** Lengths have 32 bits. */
const MOST_BYTES = 2 ** 32 - 1
/** The buffer is never smaller. */
export const USUAL_BYTES = 64 * 1024

export let scratch: Buffer
export let scratchView: DataView

function replace(bytes: number): void {
  scratch = Buffer.from(new ArrayBuffer(bytes))
  scratchView = new DataView(scratch.buffer)
  native.setScratch(scratch)
}

/** Makes room for an item; what is in the buffer is lost if it has to be replaced. */
export function reserve(bytes: number): void {
  if (bytes > MOST_BYTES) {
    throw withCode(new RangeError(`The item takes ${bytes} bytes, a queue holds at most ${MOST_BYTES}`), 'ERR_ITEM_TOO_LARGE')
  }
  if (bytes > scratch.length) replace(Math.min(2 ** Math.ceil(Math.log2(bytes)), MOST_BYTES))
}

/** To be called when an item is out of the buffer: one that was very long shall not hold memory for ever. */
export function trim(): void {
  if (scratch.length > 16 * USUAL_BYTES) replace(USUAL_BYTES)
}

replace(USUAL_BYTES)
