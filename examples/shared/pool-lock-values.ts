/** Shared by pool-lock.ts and its worker. */
import type { EventHandle, LockHandle } from 'threadsafe'

/** The positions of the values in the pool. */
export const X = 0
export const Y = 1
export const Z = 2

export interface PoolData {
  pool: Float64Array
  lock: LockHandle
  stop: EventHandle
}
