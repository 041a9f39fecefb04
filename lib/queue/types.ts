/** What the queue's callers give and get, for the compiler. */
import type { ElementType } from '../codec/element-type.js'
import type { ArrayTypes, NumericType } from '../codec/scalar.js'

/** What a put that does not wait does when the queue is full. */
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest'

/** Options of `new ThreadSafeQueue()`. */
export interface QueueOptions<Type = ElementType> {
  /** What the queue holds. Default: 'any'. */
  type?: Type | undefined
  /**
   * For 'any', 'string' and 'bytes': the payload bytes that one slot holds; longer items take
   * several slots. Default: 64.
   */
  itemBytes?: number | undefined
  /** What a put that does not wait does when the queue is full. Default: 'reject'. */
  overflow?: Overflow | undefined
  /**
   * What errors and `util.inspect()` call the queue, in every thread: at most 64 UTF-16 units.
   * Default: none.
   */
  name?: string | undefined
}

/**
 * What a batch can be put into: the typed array of the queue's type, or, where it is not known
 * which that is, one of such numbers.
 */
export type IntoOf<T, Batch> = Batch extends ArrayTypes[NumericType]
  ? Batch
  : [T] extends [number]
    ? Exclude<ArrayTypes[NumericType], BigInt64Array | BigUint64Array>
    : [T] extends [bigint]
      ? BigInt64Array | BigUint64Array
      : never

/** An option of calls that get several items. */
export interface IntoOption<Into = ArrayTypes[NumericType]> {
  /** What takes the item, or the items, instead of a new typed array. */
  into?: Into | undefined
}

/** What a single item can be got into: the array that it is. */
export type IntoOneOf<T> = Extract<T, ArrayTypes[NumericType]>

declare const carries: unique symbol

/**
 * What `workerData` and `postMessage` take to another thread of this process, for
 * `ThreadSafeQueue.from()`. It tells the compiler what the queue's items, its batches, and what it
 * takes, are; `QueueHandle<number>` leaves open what the batches are.
 */
export interface QueueHandle<T = unknown, Batch = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](item: In): { item: T; batch: Batch }
}
