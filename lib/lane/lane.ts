/**
 * How items of one queue get into and out of the shared memory, in this thread. There are two lanes
 * with one interface: cells (numbers, bigints, booleans), which WebAssembly takes as they are, and
 * messages, which are encoded.
 */
import type { Block } from '../codec/block.js'
import { native } from '../addon/native.js'
import type { Nothing } from '../wait/selectable.js'
import type { Batch } from './batch.js'

const { status: STATUS } = native

/** Returned by a get when there is nothing, and nothing will come. */
export const CLOSED = Symbol('closed')
export type Closed = typeof CLOSED

/** Returned by a get when it has no item. */
export type None = Nothing | Closed

/**
 * Puts return a status, gets an item or None. These are exact: while another thread is in the
 * middle of a copy that decides, they wait for that. A put that does not return ok leaves its item
 * in the lane's hand, for the calls with `InHand` in their name. No user code may run before those.
 */
export interface Lane<T, Held> {
  /** Checks the item, encodes it, and puts it. */
  tryPut(item: T): number
  /**
   * Makes the first try of a put that may wait. Returns full also while another thread is in the
   * middle of a copy that decides, since waiters are woken after it, and while a waiting put of
   * several slots goes first.
   */
  tryPutFirst(item: T): number
  /** Applies the overflow policy after `tryPut` returned full, for a put that does not wait. */
  offerInHand(): number
  blockInHand(timeout: number): number
  holdInHand(): Held
  /** Lets go of a refused item that no such call will put, as it may be large. */
  dropInHand(): void
  /** Checks the item and keeps it for a put that waits. */
  hold(item: T): Held
  /** Tries like tryPut, with an item that is held. */
  tryHeld(held: Held): number
  /**
   * Makes an attempt of this thread's first waiting put, `woken` if it has waited since the last
   * one.
   */
  putHeld(held: Held, woken: boolean): number
  /** Gets an item, into `into` if that is given. The caller has checked it. */
  tryGet(into?: Block): T | None
  /**
   * Makes the first try of a get that may wait. Returns nothing also while another thread is in the
   * middle of such a copy.
   */
  tryGetFirst(into?: Block): T | None
  /** Returns nothing if the time is over, or the thread is being stopped. */
  getBlocking(timeout: number, into?: Block): T | None
  /** Returns the oldest item, which stays. */
  peek(): T | Nothing
  /** Returns what an item can be got into, checked. */
  checkInto(into: unknown): Block
  /**
   * Checks all items, then returns them as a batch. `keepMany` copies what the user could change
   * during a wait.
   */
  prepareMany(items: Iterable<T>): Batch<unknown>
  keepMany(batch: Batch<unknown>): Batch<unknown>
  /** Puts as many of the batch as there is room for: ok when all are in, else full or closed. */
  putMany(batch: Batch<unknown>): number
  /** Does the same as the first try of a put that may wait. */
  putManyFirst(batch: Batch<unknown>): number
  /** Does the same as an attempt of this thread's first waiting put. */
  putManyHeld(batch: Batch<unknown>, woken: boolean): number
  putManyBlocking(batch: Batch<unknown>, timeout: number): number
  /** Applies the overflow policy to the items for which there was no room: ok, or closed. */
  offerRest(batch: Batch<unknown>): number
  /** Returns what a batch can be got into, checked. */
  checkBatchInto(into: unknown): Block
  /**
   * Gets the items that are there, at most `max`, into `into` if that is given; it has room for
   * `max`.
   */
  getMany(max: number, into?: Block): unknown | None
  getManyBlocking(max: number, timeout: number, into?: Block): unknown | None
  size(): number
  full(): boolean
  closed(): boolean
}

/**
 * Offers each item that is left. With 'reject', the first item that is refused ends the batch, so
 * that its beginning has gone in.
 */
export function offerAll(batch: Batch<unknown>, overflow: number, offer: (k: number) => number): number {
  if (overflow === native.overflows.reject) return STATUS.ok
  for (let k = batch.done; k < batch.length; k++) {
    const status = offer(k)
    if (status === STATUS.closed) return status
    if (status === STATUS.ok) batch.done++
  }
  return STATUS.ok
}

/**
 * A call of the addon that puts several items returns their number, plus this times the last
 * status.
 */
const MOST_DONE = 2 ** 32

/**
 * Counts the items that such a call has put, and returns its status. No function is entered between
 * the call and the count, so a script of node:vm is not stopped there, and no item is put twice.
 */
export function countDone(batch: Batch<unknown>, put: () => number): number {
  const returned = put()
  batch.done += returned % MOST_DONE
  return Math.floor(returned / MOST_DONE)
}
