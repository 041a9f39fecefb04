/**
 * The buffer between JavaScript and the addon: an item is encoded into it and then put by one call, or got by one call and then decoded
 * from it. One for all queues of a thread, as no other code runs between those two steps.
 */
import { native } from './native.js'

const USUAL_BYTES = 64 * 1024

export let scratch: Buffer
export let scratchView: DataView

function replace(bytes: number): void {
  scratch = Buffer.from(new ArrayBuffer(bytes))
  scratchView = new DataView(scratch.buffer)
  native.setScratch(scratch)
}

/** Makes room for an item; what is in the buffer is lost if it has to be replaced. */
export function reserve(bytes: number): void {
  if (bytes > scratch.length) replace(2 ** Math.ceil(Math.log2(bytes)))
}

/** To be called when an item is out of the buffer: one that was very long shall not hold memory for ever. */
export function trim(): void {
  if (scratch.length > 16 * USUAL_BYTES) replace(USUAL_BYTES)
}

replace(USUAL_BYTES)
