/** Types of what callers pass to a queue and get from it. */
import type { ElementType } from '../codec/element-type.js'
import type { ArrayTypes, NumericType } from '../codec/scalar.js'

/** The policy of a put that does not wait when the queue is full. */
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest'

/** Options of `new ThreadSafeQueue()`. */
export interface QueueOptions<Type = ElementType> {
  /** The type of the items. Default: 'any'. */
  type?: Type | undefined
  /**
   * For 'any', 'string' and 'bytes', the payload bytes that one slot holds. Longer items take
   * several slots. Default: 64.
   */
  itemBytes?: number | undefined
  /** What a put that does not wait does when the queue is full. Default: 'reject'. */
  overflow?: Overflow | undefined
  /**
   * The name of the queue in errors and `util.inspect()`, in every thread: at most 64 UTF-16 units.
   * Default: none.
   */
  name?: string | undefined
}

/**
 * The type of `into` for batches: the typed array of the queue's type, or, where that is unknown,
 * any typed array of such numbers.
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
  /** The view that takes the item, or the items, instead of a new typed array. */
  into?: Into | undefined
}

/** The type of `into` for a single item: the array type of the item. */
export type IntoOneOf<T> = Extract<T, ArrayTypes[NumericType]>

declare const carries: unique symbol

/**
 * The form in which a queue travels to another thread of this process, by `workerData` or
 * `postMessage`. `ThreadSafeQueue.from()` opens it there. Its type parameters carry the types of
 * the queue's items, its batches, and what it takes; `QueueHandle<number>` leaves the type of the
 * batches open.
 */
export interface QueueHandle<T = unknown, Batch = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](item: In): { item: T; batch: Batch }
}
