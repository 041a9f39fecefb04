/** In Bun each thread's clock begins anew: times of two threads can't be compared. */
export const threadsShareClock = !process.versions.bun

/** Nanoseconds of the monotonic clock, as a number, which is exact for 104 days of uptime. */
export function now(): number {
  return Number(process.hrtime.bigint())
}

const nothing = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds)
}
