import type { InspectOptions } from 'node:util'
import { checkHandle, Existing, type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { allocate, bytesOf, instantiate, type LockCore, OpenObjects } from '../addon/memory.js'
import { type NativeLock, native, type OpenedLock } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { invalidType, TimeoutError, withCode } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { blocking } from '../wait/blocking.js'
import { leave, Liveness, mayServeAtOnce, needDoorbell, type Waiting } from '../wait/loop.js'
import { checkObject, checkTimeout, type Patience, patience, type WaitOptions } from '../wait/options.js'
import { Place } from '../wait/place.js'
import { Kept } from './kept.js'
import { AcquireLine, type Acquisition } from './lock-line.js'
import { OwningCall } from './owning-call.js'

const { lock: LOCK, status: STATUS, threadNumber: THIS_THREAD } = native

/** What `workerData` and `postMessage` take to another thread of this process, for `Lock.from()`. */
export interface LockHandle {
  /** Tells a lock's handle from others. */
  readonly threadsafe: 'lock'
}

/**
 * A lock that is held, until `release()`. It belongs to the thread that acquired it; in the end of
 * a block `using` releases it.
 *
 * @example
 * {
 *   using held = lock.acquireSync()
 *   if (held.abandoned) repair()
 *   update()
 * }
 */
export interface Held extends Disposable {
  /**
   * Releases the lock and wakes who is next. Releasing again does nothing, whoever holds it by
   * then.
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
  /** Do not wait: if the lock is not free, the callback gets null. Default: false. */
  ifAvailable?: boolean | undefined
}

const EPOCHS = 2 ** 32

/**
 * A `Held`, of an acquisition that may be still to come. It is made before the lock is taken, and
 * what takes the lock is assigned to it at once: no function is entered in between, so a script of
 * node:vm is not stopped there.
 */
export class Grant implements Held {
  readonly #channel: LockChannel
  /** The epoch of the acquisition, plus 2^32 if the lock was abandoned; negative while not granted. */
  token = -1
  #released = false

  constructor(channel: LockChannel) {
    this.#channel = channel
  }

  get abandoned(): boolean {
    return this.token >= EPOCHS
  }

  /** Whether it has the lock. */
  get granted(): boolean {
    return this.token >= 0 && !this.#released
  }

  release(): void {
    this.#end(false)
  }

  /** Releases it unused: the next holder is told what this one would have been. */
  giveUp(): void {
    this.#end(this.abandoned)
  }

  // The lock is released first: it can't be held and forgotten. Nor can it be released twice, as
  // the epoch is another then.
  #end(abandoned: boolean): void {
    if (!this.granted) return
    this.#channel.release(this.token, abandoned)
    this.#released = true
    this.#channel.released()
  }

  [Symbol.dispose](): void {
    this.#end(false)
  }

  /** @internal `Held { abandoned: false, released: false }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(
      { constructor: { name: 'Held' } },
      'Held',
      () => ({ abandoned: this.abandoned, released: !this.granted }),
      depth,
      options,
    )
  }
}

/** One lock as this thread sees it, and its asynchronous calls that wait. */
class LockChannel extends Kept implements Waiting {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly core: LockCore
  readonly native: NativeLock
  readonly #line: AcquireLine

  /** `address` is the memory's. */
  constructor(memory: WebAssembly.Memory, address: number, lock: OpenedLock) {
    super()
    this.view = lock.view
    this.lists = [address + native.lists.lockWaiters]
    this.native = lock.object
    this.core = instantiate('lock', memory, lock.wake)
    this.#line = new AcquireLine(this)
  }

  /** Undefined where it would have to wait. */
  tryNow(): Grant | undefined {
    const grant = new Grant(this)
    this.keep()
    grant.token = this.core.acquire(THIS_THREAD)
    if (grant.token === -STATUS.busy) grant.token = LOCK.acquire(this.native)
    if (grant.token >= 0) return grant
    this.unkeep()
    return undefined
  }

  /** The same for asynchronous calls, which do not overtake those of this thread that wait. */
  tryInOrder(): Grant | undefined {
    return this.#line.first ? undefined : this.tryNow()
  }

  /** For one that waits since then. */
  tryFor(grant: Grant, since: number): void {
    this.keep()
    grant.token = LOCK.acquireInTurn(this.native, since)
    if (grant.token < 0) this.unkeep()
  }

  acquire(patience: Patience, liveness: Liveness): Promise<Held> {
    if (patience.timeout === 0) {
      const grant = this.tryInOrder()
      if (!grant) throw new TimeoutError(0)
      return Promise.resolve(grant)
    }
    const grant = this.#line.first || !mayServeAtOnce() ? undefined : this.tryNow()
    return grant ? Promise.resolve(grant) : this.#wait(patience, liveness)
  }

  // Apart: V8 allocates a context on every call of a function that contains closures.
  #wait(patience: Patience, liveness: Liveness): Promise<Held> {
    const grant = new Grant(this)
    const call = new OwningCall(grant)
    const place = new Place<Acquisition>(call, { grant, since: native.now() }, liveness)
    return call.wait(patience, () => this.#line.enter(place)) as Promise<Held>
  }

  acquireBlocking(timeout: number): Grant | undefined {
    const grant = new Grant(this)
    this.keep()
    grant.token = LOCK.acquireBlocking(this.native, timeout)
    if (grant.token >= 0) return grant
    this.unkeep()
    return undefined
  }

  release(token: number, abandoned: boolean): void {
    this.core.release(THIS_THREAD, token % EPOCHS, abandoned ? 1 : 0)
  }

  released(): void {
    this.unkeep()
    this.#line.released()
  }

  poll(): void {
    this.#line.serve()
  }

  tidy(): void {
    this.#line.tidy()
    if (!this.#line.first) leave(this)
  }
}

const channels = new OpenObjects<LockChannel>()

function create(): Handle {
  const memory = allocate(native.lockMemory)
  native.initLock(bytesOf(memory))
  return makeHandle('lock', memory, {})
}

function open({ memory }: Handle): LockChannel {
  return channels.get(memory, (bytes, address) => {
    const lock = native.openLock(bytes)
    if (!lock) throw incompatible('its memory holds something else')
    return new LockChannel(memory, address, lock)
  })
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
  /** Structured-cloneable; the other thread makes of it a lock object of its own, with `from()`. */
  readonly handle: LockHandle
  readonly #channel: LockChannel
  readonly #liveness = new Liveness()

  /** A lock that nobody holds. */
  constructor()
  /** @internal from() passes the handle of a lock that exists. */
  constructor(existing: Existing)
  constructor(existing?: Existing) {
    const handle = existing instanceof Existing ? existing.handle : create()
    this.handle = handle as unknown as LockHandle
    this.#channel = open(handle)
  }

  /**
   * The lock of that handle, in any thread of the process. Throws `TypeError`
   * `ERR_INVALID_ARG_TYPE` for anything that is no lock's handle and `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   */
  static from(handle: LockHandle): Lock {
    const { memory } = checkHandle('lock', handle, Lock)
    return new Lock(new Existing(makeHandle('lock', memory, {})))
  }

  /**
   * What `threadsafe_lock_open()` of `threadsafe.h` takes, in this thread; see
   * `ThreadSafeQueue.native`.
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
   * have passed (0 tries once), and `Error` `ERR_LOCK_DEADLOCK` if this thread holds it already, as
   * nobody could release it then; also where an `acquire()` of this thread has been granted it, and
   * the code that awaits that has not gone on yet.
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
   * Takes the lock if it is free; undefined while it is held, by this thread as well, and for the
   * moment in which it is about to go to one who has waited long.
   *
   * @example
   * lock.tryAcquire()?.release()
   */
  tryAcquire(): Held | undefined {
    return this.#channel.tryNow()
  }

  /**
   * Acquires the lock, runs `callback`, and releases it when what the callback returned has
   * settled, or when it has thrown. Resolves, or rejects, with that.
   *
   * @example
   * const total = await lock.request(async () => sum(await read()))
   */
  request<R>(callback: (held: Held) => R): Promise<Awaited<R>>
  /**
   * The same with options, as `navigator.locks.request()` has them. `TimeoutError` and the signal's
   * `reason` as for `acquire()`: then the callback is not called.
   *
   * @example
   * await lock.request({ timeout: 1000 }, () => update())
   */
  request<R>(options: LockRequestOptions & { ifAvailable?: false | undefined }, callback: (held: Held) => R): Promise<Awaited<R>>
  /**
   * The same; with `ifAvailable` the callback is called at once, and with null if the lock is not
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

  /** Pending calls of this object keep the process alive: so it is at first. */
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
