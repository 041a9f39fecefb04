import type { InspectOptions } from 'node:util'
import { checkHandle, type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { allocate, bytesOf, OpenObjects } from '../addon/memory.js'
import { native } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { type ArrayType, type ParsedArray, parseArrayType } from '../codec/array-type.js'
import { typeCode } from '../codec/element-type.js'
import { invalidType, invalidValue, outOfRange, TimeoutError } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { blocking } from '../wait/blocking.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { patience, type SyncWaitOptions, syncTimeout, type WaitOptions } from '../wait/options.js'
import { PoolChannel } from './pool-channel.js'
import type { BufferPoolHandle, Lease, PoolStats, BufferPool as TypedPool } from './pool-types.js'

const LARGEST_TOKEN = 2 ** 32 - 1

const channels = new OpenObjects<PoolChannel>()

/** The constructor's first argument for a pool that exists already. User code cannot make one. */
class Existing {
  constructor(
    readonly memory: WebAssembly.Memory,
    readonly type: ArrayType,
  ) {}
}

function parsed(type: unknown): ParsedArray {
  const array = parseArrayType(type)
  if (!array) throw invalidValue('type', "an array of fixed length as 'float32[128]' or 'bytes[4096]'", type)
  return array
}

function create(count: unknown, type: unknown): Existing {
  if (typeof count !== 'number') throw invalidType('count', 'a whole number', count)
  const { mostBuffers } = native
  if (!Number.isInteger(count) || count < 1 || count > mostBuffers) {
    throw outOfRange('count', `a whole number from 1 up to ${mostBuffers}`, count)
  }
  const array = parsed(type)
  const code = typeCode(array.type)
  if (native.poolMemory(code, 1, array.bytes) === 0) throw outOfRange('type', 'at most what 4 GiB hold', type)
  const bytes = native.poolMemory(code, count, array.bytes)
  if (bytes === 0) throw outOfRange('count', `at most what 4 GiB hold, with ${array.bytes} bytes for each buffer`, count)
  const memory = allocate(bytes)
  native.initPool(bytesOf(memory), code, count, array.bytes)
  return new Existing(memory, type as ArrayType)
}

function open({ memory, type }: Existing): PoolChannel {
  const array = parsed(type)
  const channel = channels.get(memory, (bytes, address) => {
    const pool = native.openPool(bytes)
    if (!pool || pool.type !== typeCode(array.type) || pool.bytes !== array.bytes) throw incompatible('its memory holds something else')
    return new PoolChannel(memory, address, pool, type)
  })
  // The memory may have been open already, as a pool of another type.
  if (channel.type !== type) throw incompatible('its memory holds something else')
  return channel
}

/** A fixed number of buffers. Users see the class as pool-types.ts declares it. */
export class BufferPool<V> {
  /** Structured-cloneable. The other thread makes its own pool object from it, with `from()`. */
  readonly handle: BufferPoolHandle<V>
  /** The number of buffers. */
  readonly count: number
  /** The type of each buffer, as it was given. */
  readonly type: ArrayType
  readonly #channel: PoolChannel
  readonly #liveness = new Liveness()

  /** @internal Described in pool-types.ts. */
  constructor(first: number | Existing, type?: ArrayType) {
    const pool = first instanceof Existing ? first : create(first, type)
    this.#channel = open(pool)
    this.handle = makeHandle('pool', pool.memory, { type: pool.type }) as unknown as BufferPoolHandle<V>
    this.count = this.#channel.count
    this.type = pool.type
  }

  /** @internal Described in pool-types.ts. */
  static from<V>(handle: BufferPoolHandle<V>): BufferPool<V> {
    const { memory, type } = checkHandle('pool', handle as unknown as Handle, BufferPool)
    if (!parseArrayType(type)) throw invalidType('handle', 'the handle of a BufferPool, which has a type', { type })
    return new BufferPool<V>(new Existing(memory, type as ArrayType))
  }

  /**
   * The pool as native code takes it, for `threadsafe_pool_open()` of `threadsafe.h` in this
   * thread. See `ThreadSafeQueue.native`.
   */
  get native(): NativeHandle<'pool'> {
    needDoorbell()
    return nativeHandle(this.#channel.view)
  }

  /**
   * Lends a buffer. Returns undefined if none is free at that moment.
   *
   * @example
   * const lease = pool.tryLend()
   * if (lease) await filled.put(lease.pass())
   */
  tryLend(): Lease<V> | undefined {
    return this.#channel.tryNow() as Lease<V> | undefined
  }

  /**
   * Lends a buffer. If none is free it throws `PoolEmptyError`. With `block: true` or a `timeout`
   * it blocks this thread until one is, and throws `TimeoutError` when `timeout` milliseconds have
   * passed.
   *
   * @example
   * using lease = pool.lendSync({ timeout: 1000 })
   */
  lendSync(options?: SyncWaitOptions): Lease<V> {
    const timeout = syncTimeout(options)
    const channel = this.#channel
    const lease = channel.tryNow()
    if (lease) return lease as Lease<V>
    if (timeout === undefined) throw channel.empty()
    const self = this as unknown as TypedPool<unknown>
    const late = timeout === 0 ? undefined : blocking('lend', [self], () => channel.lendBlocking(timeout))
    if (!late) throw new TimeoutError(timeout)
    return late as Lease<V>
  }

  /**
   * Resolves to a lease when a buffer is free. The calls of one thread are served in the order in
   * which they were made. Rejects with `TimeoutError`, or the signal's `reason`, and then nothing
   * is lent.
   *
   * @example
   * const lease = await pool.lend({ timeout: 1000 })
   */
  lend(options?: WaitOptions): Promise<Lease<V>> {
    try {
      return this.#channel.lend(patience(options), this.#liveness) as Promise<Lease<V>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Makes a lease of a buffer that another thread, or this one, has passed on. A token can be taken
   * once: throws `RangeError` `ERR_LEASE_ENDED` for one that was taken, or that is of another pool.
   *
   * @example
   * using lease = pool.take(await filled.get())
   */
  take(token: number): Lease<V> {
    if (typeof token !== 'number') throw invalidType('token', 'a whole number', token)
    if (!Number.isInteger(token) || token < 0 || token > LARGEST_TOKEN) throw outOfRange('token', 'a whole number below 2^32', token)
    return this.#channel.take(token) as Lease<V>
  }

  /** Returns how many buffers are free, lent and passed on, over all threads. */
  stats(): PoolStats {
    return this.#channel.stats()
  }

  /** Pending calls of this object keep the process alive. This is the default. */
  ref(): this {
    this.#liveness.reference(true)
    return this
  }

  /** Pending calls of this object do not keep the process alive. */
  unref(): this {
    this.#liveness.reference(false)
    return this
  }

  /** @internal `BufferPool { count: 4, type: 'float32[128]', free: 3, lent: 1, passed: 0 }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'BufferPool', () => ({ count: this.count, type: this.type, ...this.stats() }), depth, options)
  }
}
