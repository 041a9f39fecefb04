/**
 * How items of one queue get into and out of the shared memory, in this thread. Two ways, with one face: a cell - a number, a bigint,
 * a boolean - is one WebAssembly call; a message is encoded into the scratch buffer and then one call of the addon.
 */
import type { Batch } from './batch.js'
import type { Block } from '../codec/block.js'
import { native } from '../addon/native.js'
import type { Nothing } from '../wait/selectable.js'

const { status: STATUS } = native

/**
 * An item is checked and made storable by `prepare` (what that answers is good until other code runs), put by one of the puts, which
 * answer a status, and made fit for waiting by `keep`. What puts and gets say is exact: where another thread is in the middle of a copy that
 * decides, they wait for that.
 */
export interface Transport<T, Prepared, Kept> {
  prepare(item: T): Prepared
  put(prepared: Prepared): number
  /**
   * The first try of a put that may wait: full also while another is in the middle of a copy that decides, as whoever waits is woken after
   * it; and while a put that waits for several slots goes first.
   */
  putFirst(prepared: Prepared): number
  /** A put that does not wait, when `put` answered full: does what the overflow policy says. */
  offer(prepared: Prepared): number
  putBlocking(prepared: Prepared, timeout: number): number
  keep(prepared: Prepared): Kept
  /** An attempt of this thread's first waiting put. `woken`: it has waited since an attempt before. */
  putInTurn(kept: Kept, woken: boolean): number
  /** NOTHING when there is nothing; `lastStatus()` then tells why. */
  get(): T | Nothing
  /** The first try of a get that may wait: nothing also while another is in the middle of such a copy. */
  getFirst(): T | Nothing
  getBlocking(timeout: number): T | Nothing
  /** The oldest item, which stays. */
  peek(): T | Nothing
  /** Checks all items, then answers them as a batch; `keepMany` makes it fit for waiting. */
  prepareMany(items: Iterable<T>): Batch<unknown>
  keepMany(batch: Batch<unknown>): Batch<unknown>
  /** Puts as many of the batch as there is room for: ok when all are in, else full or closed. */
  putMany(batch: Batch<unknown>): number
  /** The same, as an attempt of this thread's first waiting put, or as the first try (not `woken`) of one that may wait. */
  putManyInTurn(batch: Batch<unknown>, woken: boolean): number
  putManyBlocking(batch: Batch<unknown>, timeout: number): number
  /** What the overflow policy makes of the items for which there was no room: ok, or closed. */
  offerRest(batch: Batch<unknown>): number
  /** The same, checked: what items can go into. */
  checkInto(into: unknown): Block
  /** What is there, at most so many; NOTHING rather than none. `into`, if given, has room for so many, and takes them. */
  getMany(max: number, into?: Block): unknown | Nothing
  getManyBlocking(max: number, timeout: number, into?: Block): unknown | Nothing
  lastStatus(): number
  size(): number
  full(): boolean
  closed(): boolean
}

/** Offers each item that is left. Where a full queue rejects, the first that was refused ends the batch: what went in is its beginning. */
export function offerAll(batch: Batch<unknown>, overflow: number, offer: (k: number) => number): number {
  if (overflow === native.overflows.reject) return STATUS.ok
  for (let k = batch.done; k < batch.length; k++) {
    const status = offer(k)
    if (status === STATUS.closed) return status
    if (status === STATUS.ok) batch.done++
  }
  return STATUS.ok
}
