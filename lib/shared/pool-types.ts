/** The pool's types, and its class as a compiler sees it. */
import type { ArrayOf, ArrayType, ArrayTypeOf } from '../codec/array-type.js'
import { BufferPool as Pool } from './pool.js'

/** How the buffers of a pool are doing, over all threads: approximate while others lend and return. */
export interface PoolStats {
  /** Buffers that nobody has. */
  readonly free: number
  /** Buffers that are lent, in all threads. */
  readonly lent: number
  /** Buffers that were passed on and not taken yet. */
  readonly passed: number
}

/**
 * A buffer that is lent to this thread, until it is passed on or released. At the end of a block
 * `using` releases it.
 *
 * @example
 * using lease = pool.lendSync()
 * lease.data.fill(0)
 */
export interface Lease<V> extends Disposable {
  /**
   * A view of the buffer, in shared memory: nothing is copied, and nothing is cleared between
   * leases. Throws `RangeError` `ERR_LEASE_ENDED` once the lease has ended. A view that was read
   * before can't be revoked: do not use it any more, as the buffer is another's by then.
   */
  readonly data: V
  /**
   * Ends this lease, and returns a token for whoever gets the buffer: a whole number below 2^32, for
   * a queue of 'uint32', say. `pool.take(token)` in any thread makes a lease of it, once. Throws
   * `RangeError` `ERR_LEASE_ENDED` if the lease has ended.
   */
  pass(): number
  /**
   * Gives the buffer back to the pool. Throws `RangeError` `ERR_LEASE_ENDED` if the lease has ended;
   * `Symbol.dispose` does nothing then.
   */
  release(): void
}

declare const lends: unique symbol

/**
 * What `workerData` and `postMessage` take to another thread of this process, for
 * `BufferPool.from()`. It tells the compiler what the buffers are.
 */
export interface BufferPoolHandle<V = unknown> {
  /** For the compiler alone. */
  readonly [lends]: V
}

/**
 * A fixed number of buffers in shared memory that the program lends, passes on and takes back,
 * without copying. `V` is what their data are: the `type` says it.
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

/** The class `BufferPool`: what makes pools. */
export interface BufferPoolConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof Pool)['prototype']

  /**
   * Creates a pool of `count` buffers of that array type.
   *
   * `RangeError` `ERR_OUT_OF_RANGE` for a count that is no whole number from 1 up to 65,536, or for
   * which 4 GiB are not enough; `TypeError` `ERR_INVALID_ARG_VALUE` for a type that is no array of
   * numbers or bytes.
   *
   * @example
   * const frames = new BufferPool(4, 'bytes[1048576]') // BufferPool<Uint8Array>
   */
  new <Type extends ArrayType>(count: number, type: Type): BufferPool<ArrayOf<Type>>
  /**
   * Creates a pool whose data are what you say.
   *
   * @example
   * const blocks = new BufferPool<Float32Array>(4, 'float32[128]')
   */
  new <V>(count: number, type: ArrayTypeOf<V>): BufferPool<V>

  /**
   * Opens the pool of that handle, in any thread of the process. Where the type of its data got
   * lost, as in `workerData`, say it: `BufferPool.from<Float32Array>(workerData)`.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no pool's handle, `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   *
   * @example
   * const pool = BufferPool.from<Float32Array>(workerData)
   */
  from<V>(handle: BufferPoolHandle<V>): BufferPool<V>
}

export const BufferPool: BufferPoolConstructor = Pool as never
