/** One lock as this thread has it open, and the acquisitions that this thread holds. */
import type { InspectOptions } from 'node:util'
import { type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { allocate, bytesOf, instantiate, type LockCore, OpenObjects } from '../addon/memory.js'
import { type NativeLock, native, type OpenedLock } from '../addon/native.js'
import { TimeoutError } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { leave, type Liveness, mayServeAtOnce, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'
import { Kept } from './kept.js'
import type { Held } from './lock.js'
import { AcquireLine, type Acquisition } from './lock-line.js'
import { OwningCall } from './owning-call.js'

const { lock: LOCK, status: STATUS, threadNumber: THIS_THREAD } = native

const EPOCHS = 2 ** 32

/**
 * A `Held`, made before its lock is taken. The result of the call that takes the lock is assigned
 * to it at once: no function is entered in between, so a script of node:vm is not stopped there.
 */
export class Grant implements Held {
  readonly #channel: LockChannel
  /**
   * The epoch of the acquisition, plus 2^32 if the lock was abandoned; negative while not granted.
   */
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

  /**
   * Releases the lock unused. The next holder is told if it was abandoned, as this one would have
   * been.
   */
  giveUp(): void {
    this.#end(this.abandoned)
  }

  // The lock is released first, so that it can't be held and forgotten. Nor can it be released
  // twice, as it has another epoch then.
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

/** One lock in this thread, with the asynchronous calls that wait for it. */
export class LockChannel extends Kept implements Waiting {
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

  /** Takes the lock without waiting. Returns undefined if it would have to wait. */
  tryNow(): Grant | undefined {
    const grant = new Grant(this)
    this.keep()
    grant.token = this.core.acquire(THIS_THREAD)
    if (grant.token === -STATUS.busy) grant.token = LOCK.acquire(this.native)
    if (grant.token >= 0) return grant
    this.unkeep()
    return undefined
  }

  /**
   * Does the same for an asynchronous call, which does not overtake the waiting calls of this
   * thread.
   */
  tryInOrder(): Grant | undefined {
    return this.#line.first ? undefined : this.tryNow()
  }

  /** Tries to take the lock for a call that has waited since then. */
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

  // Kept separate: V8 allocates a context on every call of a function that contains closures.
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

export function createLock(): Handle {
  const memory = allocate(native.lockMemory)
  native.initLock(bytesOf(memory))
  return makeHandle('lock', memory, {})
}

export function openLock({ memory }: Handle): LockChannel {
  return channels.get(memory, (bytes, address) => {
    const lock = native.openLock(bytes)
    if (!lock) throw incompatible('its memory holds something else')
    return new LockChannel(memory, address, lock)
  })
}
