import type { InspectOptions } from 'node:util'
import { checkHandle, Existing, makeHandle } from '../addon/handle.js'
import { native } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { invalidType, TimeoutError, withCode } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { blocking } from '../wait/blocking.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { checkObject, checkTimeout, patience, type WaitOptions } from '../wait/options.js'
import { createLock, type LockChannel, openLock } from './lock-channel.js'

const { threadNumber: THIS_THREAD } = native

/**
 * What `workerData` and `postMessage` take to another thread of this process, for `Lock.from()`.
 */
export interface LockHandle {
  /** Tells a lock's handle from those of other objects. */
  readonly threadsafe: 'lock'
}

/**
 * A lock that is held, until `release()`. It belongs to the thread that acquired it. `using`
 * releases it at the end of a block.
 *
 * @example
 * using held = lock.acquireSync()
 * if (held.abandoned) repair()
 * update()
 */
export interface Held extends Disposable {
  /**
   * Releases the lock and wakes the next waiter. Releasing again does nothing, even if another
   * holds the lock by then.
   */
  release(): void
  /**
   * Whether the thread that held the lock before has ended without releasing it: what the lock
   * protects may be half changed. This holder alone is told.
   */
  readonly abandoned: boolean
}

/** Options of `lock.request()`. */
export interface LockRequestOptions extends WaitOptions {
  /**
   * If true, the call does not wait: the callback gets null if the lock is not free. Default:
   * false.
   */
  ifAvailable?: boolean | undefined
}

function deadlock(): Error {
  const message =
    'This thread holds the lock already, so a blocking call would wait for ever: a lock is not recursive. Release it first, or await acquire()'
  return withCode(new Error(message), 'ERR_LOCK_DEADLOCK')
}

/**
 * Mutual exclusion between event loops and workers, for critical sections longer than an atomic
 * write. One holder at a time; not recursive. A holder whose thread ends releases it, and the next
 * one is told (`held.abandoned`). Nobody starves.
 *
 * @example
 * const lock = new Lock()
 * new Worker(file, { workerData: lock.handle }) // there: Lock.from(workerData)
 * await lock.request(() => update())
 */
export class Lock {
  /** Structured-cloneable. The other thread makes its own lock object from it, with `from()`. */
  readonly handle: LockHandle
  readonly #channel: LockChannel
  readonly #liveness = new Liveness()

  /** Creates a lock that nobody holds. */
  constructor()
  /** @internal from() passes the handle of a lock that exists. */
  constructor(existing: Existing)
  constructor(existing?: Existing) {
    const handle = existing instanceof Existing ? existing.handle : createLock()
    this.handle = handle as unknown as LockHandle
    this.#channel = openLock(handle)
  }

  /**
   * Opens the lock of that handle, in any thread of the process. Throws `TypeError`
   * `ERR_INVALID_ARG_TYPE` for anything that is no lock's handle and `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   */
  static from(handle: LockHandle): Lock {
    const { memory } = checkHandle('lock', handle, Lock)
    return new Lock(new Existing(makeHandle('lock', memory, {})))
  }

  /**
   * The lock as native code takes it, for `threadsafe_lock_open()` of `threadsafe.h` in this
   * thread. See `ThreadSafeQueue.native`.
   */
  get native(): NativeHandle<'lock'> {
    needDoorbell()
    return nativeHandle(this.#channel.view)
  }

  /** Whether somebody holds the lock at this moment, in any thread. */
  get locked(): boolean {
    return this.#channel.core.owner() !== 0
  }

  /**
   * Resolves when this call holds the lock. The calls of one thread are served in the order in
   * which they were made. Rejects with `TimeoutError`, or the signal's `reason`, and then holds
   * nothing. Code that holds the lock and awaits another `acquire()` of it waits until somebody
   * else releases it.
   *
   * @example
   * const held = await lock.acquire({ timeout: 1000 })
   * try {
   *   await update()
   * } finally {
   *   held.release()
   * }
   */
  acquire(options?: WaitOptions): Promise<Held> {
    try {
      return this.#channel.acquire(patience(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Blocks this thread until it holds the lock. Throws `TimeoutError` when `timeout` milliseconds
   * have passed (0 tries once), and `Error` `ERR_LOCK_DEADLOCK` if this thread holds the lock
   * already, as nobody could release it then. The latter includes an `acquire()` of this thread
   * that has been granted the lock, but whose caller has not gone on yet.
   *
   * @example
   * using held = lock.acquireSync({ timeout: 1000 })
   */
  acquireSync(options?: { timeout?: number | undefined }): Held {
    checkObject('options', options)
    const timeout = checkTimeout(options?.timeout)
    const held = this.#channel.tryNow()
    if (held) return held
    if (this.#channel.core.owner() === THIS_THREAD) throw deadlock()
    const late = timeout === 0 ? undefined : blocking('acquire', [this], () => this.#channel.acquireBlocking(timeout))
    if (!late) throw new TimeoutError(timeout)
    return late
  }

  /**
   * Takes the lock if it is free. Returns undefined while it is held, also by this thread, and
   * while it is about to go to a caller that has waited long.
   *
   * @example
   * lock.tryAcquire()?.release()
   */
  tryAcquire(): Held | undefined {
    return this.#channel.tryNow()
  }

  /**
   * Acquires the lock, runs `callback`, and releases the lock when the callback's result has
   * settled or the callback has thrown. Resolves or rejects with that outcome.
   *
   * @example
   * const total = await lock.request(async () => sum(await read()))
   */
  request<R>(callback: (held: Held) => R): Promise<Awaited<R>>
  /**
   * Does the same with options, as `navigator.locks.request()` has them. Rejects with
   * `TimeoutError` or the signal's `reason` as `acquire()` does; then the callback is not called.
   *
   * @example
   * await lock.request({ timeout: 1000 }, () => update())
   */
  request<R>(options: LockRequestOptions & { ifAvailable?: false | undefined }, callback: (held: Held) => R): Promise<Awaited<R>>
  /**
   * Does the same. With `ifAvailable` the callback is called at once, with null if the lock is not
   * free.
   *
   * @example
   * await lock.request({ ifAvailable: true }, (held) => (held ? update() : undefined))
   */
  request<R>(options: LockRequestOptions, callback: (held: Held | null) => R): Promise<Awaited<R>>
  async request<R>(first: LockRequestOptions | ((held: never) => R), second?: (held: never) => R): Promise<Awaited<R>> {
    const withOptions = typeof first !== 'function'
    const options = withOptions ? first : undefined
    const callback = (withOptions ? second : first) as (held: Held | null) => R
    if (typeof callback !== 'function') throw invalidType('callback', 'a function', callback)
    checkObject('options', options)
    const ifAvailable = options?.ifAvailable ?? false
    if (typeof ifAvailable !== 'boolean') throw invalidType('options.ifAvailable', 'a boolean', ifAvailable)
    const given = patience(options)
    const acquired = ifAvailable ? Promise.resolve(this.#channel.tryInOrder() ?? null) : this.#channel.acquire(given, this.#liveness)
    const held = await acquired
    try {
      return await callback(held)
    } finally {
      held?.release()
    }
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

  /** @internal `Lock { locked: true }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'Lock', () => ({ locked: this.locked }), depth, options)
  }
}
