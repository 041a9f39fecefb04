/** The pool's types, and its class as users see it. */
import type { ArrayOf, ArrayType, ArrayTypeOf } from '../codec/array-type.js'
import { BufferPool as Pool } from './pool.js'

/**
 * Counts of a pool's buffers, over all threads. They are approximate while others lend and return.
 */
export interface PoolStats {
  /** Buffers that nobody has. */
  readonly free: number
  /** Buffers that are lent, in all threads. */
  readonly lent: number
  /** Buffers that were passed on and not taken yet. */
  readonly passed: number
}

/**
 * A buffer that is lent to this thread, until it is passed on or released. `using` releases it at
 * the end of a block.
 *
 * @example
 * using lease = pool.lendSync()
 * lease.data.fill(0)
 */
export interface Lease<V> extends Disposable {
  /**
   * A view of the buffer, in shared memory: nothing is copied, and nothing is cleared between
   * leases. Throws `RangeError` `ERR_LEASE_ENDED` once the lease has ended. A view taken before
   * that can't be revoked: do not use it any more, as the buffer may be another's by then.
   */
  readonly data: V
  /**
   * Ends this lease, and returns a token for whoever gets the buffer. The token is a whole number
   * below 2^32, which fits a queue of 'uint32'. `pool.take(token)` in any thread makes a lease of
   * it, once. Throws `RangeError` `ERR_LEASE_ENDED` if the lease has ended.
   */
  pass(): number
  /**
   * Gives the buffer back to the pool. Throws `RangeError` `ERR_LEASE_ENDED` if the lease has
   * ended; `Symbol.dispose` does nothing then.
   */
  release(): void
}

declare const lends: unique symbol

/**
 * A pool's handle, which `workerData` and `postMessage` take to another thread of this process, for
 * `BufferPool.from()`. It tells the compiler what the buffers are.
 */
export interface BufferPoolHandle<V = unknown> {
  /** For the compiler alone. */
  readonly [lends]: V
}

/**
 * A fixed number of buffers in shared memory that the program lends, passes on and takes back,
 * without copying. `V` is the class of their data, which `type` decides.
 *
 * @example
 * const pool = new BufferPool(8, 'float32[4096]') // of Float32Array
 * const filled = new ThreadSafeQueue(8, { type: 'uint32' })
 * new Worker(file, { workerData: { pool: pool.handle, filled: filled.handle } })
 * const lease = await pool.lend()
 * lease.data.fill(1)
 * await filled.put(lease.pass()) // there: using lease = pool.take(await filled.get())
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it has a name of its own, which the declarations of a user's code can refer to.
export interface BufferPool<V> extends Pool<V> {}

/** The class `BufferPool`. */
export interface BufferPoolConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof Pool)['prototype']

  /**
   * Creates a pool of `count` buffers of that array type.
   *
   * Throws `RangeError` `ERR_OUT_OF_RANGE` for a count that is not a whole number from 1 to 65,536,
   * or that needs more than 4 GiB. Throws `TypeError` `ERR_INVALID_ARG_VALUE` for a type that is
   * not an array of numbers or bytes.
   *
   * @example
   * const frames = new BufferPool(4, 'bytes[1048576]') // BufferPool<Uint8Array>
   */
  new <Type extends ArrayType>(count: number, type: Type): BufferPool<ArrayOf<Type>>
  /**
   * Creates a pool whose data have the class that you name.
   *
   * @example
   * const blocks = new BufferPool<Float32Array>(4, 'float32[128]')
   */
  new <V>(count: number, type: ArrayTypeOf<V>): BufferPool<V>

  /**
   * Opens the pool of that handle, in any thread of the process. Name the class of its data where
   * TypeScript has lost it, as in `workerData`: `BufferPool.from<Float32Array>(workerData)`.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is not a pool's handle, and `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for a handle of another version.
   *
   * @example
   * const pool = BufferPool.from<Float32Array>(workerData)
   */
  from<V>(handle: BufferPoolHandle<V>): BufferPool<V>
}

export const BufferPool: BufferPoolConstructor = Pool as never
