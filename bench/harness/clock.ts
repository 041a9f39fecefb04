/** False in Bun, where each thread's clock starts anew: times of two threads can't be compared. */
export const threadsShareClock = !process.versions.bun

/** Returns the monotonic clock in nanoseconds. A number is exact up to 104 days of uptime. */
export function now(): number {
  return Number(process.hrtime.bigint())
}

const nothing = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds)
}
