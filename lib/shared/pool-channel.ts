/**
 * One pool as this thread has it open, its leases, and the asynchronous calls that wait for one.
 */
import { instantiate, type PoolCore } from '../addon/memory.js'
import { type NativePool, native, type OpenedPool } from '../addon/native.js'
import { type ArrayType, type ParsedArray, parseArrayType } from '../codec/array-type.js'
import { SCALARS } from '../codec/scalar.js'
import { damaged, PoolEmptyError, TimeoutError, withCode } from '../errors.js'
import { ServedLine } from '../wait/line.js'
import { leave, type Liveness, mayServeAtOnce, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'
import { NOTHING } from '../wait/selectable.js'
import { Kept } from './kept.js'
import { OwningCall } from './owning-call.js'
import type { Lease, PoolStats } from './pool-types.js'

const { pool: POOL, threadNumber: THIS_THREAD } = native

type View = new (buffer: ArrayBufferLike, offset: number, length: number) => unknown

function ended(what: string): RangeError {
  return withCode(new RangeError(`${what} has ended: its buffer was passed on or released`), 'ERR_LEASE_ENDED')
}

/**
 * A lease, made before its buffer is lent. The result of the call that lends the buffer is assigned
 * to it at once: no function is entered in between, so a script of node:vm is not stopped there.
 */
class BufferLease implements Lease<unknown> {
  readonly #channel: PoolChannel
  /** The lease's name, as native/core/pool.h has it; negative while there is none. */
  name = -1
  /** The token, once the buffer is passed on. */
  #token = -1
  /** Set last: until then the caller has no token, and a lease that was stopped can be released. */
  #ended = false

  constructor(channel: PoolChannel) {
    this.#channel = channel
  }

  get isLent(): boolean {
    return this.name >= 0 && !this.#ended
  }

  get data(): unknown {
    if (!this.isLent) throw ended('This lease')
    return this.#channel.viewOf(this.name)
  }

  pass(): number {
    if (!this.isLent) throw ended('This lease')
    if (this.#token < 0) this.#token = this.#channel.core.pass(THIS_THREAD, this.name)
    const token = this.#channel.salted(this.#token)
    this.#end()
    if (this.#token < 0) throw damaged()
    return token
  }

  release(): void {
    if (!this.isLent) throw ended('This lease')
    this.giveUp()
  }

  giveUp(): void {
    if (!this.isLent) return
    const { core } = this.#channel
    if (this.#token >= 0) {
      core.take(THIS_THREAD, this.#token)
      this.name = this.#token
    }
    core.release(THIS_THREAD, this.name)
    this.#end()
  }

  #end(): void {
    this.#channel.unkeep()
    this.#ended = true
  }

  [Symbol.dispose](): void {
    this.giveUp()
  }
}

/** The calls of this thread that wait for a buffer. */
class LendLine extends ServedLine<BufferLease> {
  readonly #channel: PoolChannel

  constructor(channel: PoolChannel) {
    super(channel)
    this.#channel = channel
  }

  protected override announce(): boolean {
    return POOL.announce(this.#channel.native)
  }

  protected override attempt(place: Place<BufferLease>): unknown {
    const lease = place.want
    // A call that was stopped after it was lent a buffer has it already.
    return lease.isLent || this.#channel.tryFor(lease) ? place.outcome(lease) : NOTHING
  }

  // Waiting calls of a pool are not counted.
  protected override tell(): void {}

  protected override withdraw(): void {
    POOL.withdraw(this.#channel.native)
  }
}

export class PoolChannel extends Kept implements Waiting {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly type: ArrayType
  readonly count: number
  readonly core: PoolCore
  readonly native: NativePool
  readonly #line: LendLine
  readonly #salt: number
  readonly #indexMask: number
  readonly #buffers: number
  readonly #stride: number
  readonly #length: number
  readonly #View: View
  /**
   * The view of each buffer that was used here, kept because making one costs as much as a dozen
   * leases.
   */
  readonly #views: unknown[] = []

  /** `address` is the memory's. */
  constructor(memory: WebAssembly.Memory, address: number, pool: OpenedPool, type: ArrayType) {
    super()
    const array = parseArrayType(type) as ParsedArray
    this.type = type
    this.view = pool.view
    this.lists = [address + native.lists.poolWaiters]
    this.native = pool.object
    this.core = instantiate('pool', memory, pool.wake)
    this.count = pool.count
    this.#salt = pool.salt
    this.#indexMask = pool.indexMask
    this.#buffers = pool.buffers
    this.#stride = pool.stride
    this.#length = array.length
    this.#View = (array.type === 'bytes' ? Uint8Array : SCALARS[array.type].array) as View
    this.#line = new LendLine(this)
  }

  viewOf(name: number): unknown {
    const index = name & this.#indexMask
    // The index is too large only if something has written over the memory.
    if (index >= this.count) throw damaged()
    return (this.#views[index] ??= new this.#View(this.view.buffer, this.#buffers + index * this.#stride, this.#length))
  }

  /** Returns the token of a name, or the name of a token. */
  salted(name: number): number {
    return (name ^ this.#salt) >>> 0
  }

  /** Lends a buffer. Returns undefined if none is free. */
  tryNow(): BufferLease | undefined {
    const lease = new BufferLease(this)
    return this.tryFor(lease) ? lease : undefined
  }

  tryFor(lease: BufferLease): boolean {
    this.keep()
    lease.name = this.core.lend(THIS_THREAD)
    if (lease.name >= 0) return true
    this.unkeep()
    return false
  }

  lend(patience: Patience, liveness: Liveness): Promise<BufferLease> {
    const once = patience.timeout === 0
    const lease = this.#line.first || !(once || mayServeAtOnce()) ? undefined : this.tryNow()
    if (lease) return Promise.resolve(lease)
    if (once) throw new TimeoutError(0)
    return this.#wait(patience, liveness)
  }

  // Kept separate: V8 allocates a context on every call of a function that contains closures.
  #wait(patience: Patience, liveness: Liveness): Promise<BufferLease> {
    const lease = new BufferLease(this)
    const place = new Place(new OwningCall(lease), lease, liveness)
    return place.call.wait(patience, () => this.#line.enter(place)) as Promise<BufferLease>
  }

  /** Blocks until a buffer is free, and lends it. Returns undefined when the time is over. */
  lendBlocking(timeout: number): BufferLease | undefined {
    const lease = new BufferLease(this)
    this.keep()
    lease.name = POOL.lendBlocking(this.native, timeout)
    if (lease.name >= 0) return lease
    this.unkeep()
    return undefined
  }

  take(token: number): BufferLease {
    const lease = new BufferLease(this)
    const name = this.salted(token)
    this.keep()
    // No function is entered between the call and the assignment, so a script is not stopped there.
    lease.name = this.core.take(THIS_THREAD, name) !== 0 ? name : -1
    if (lease.name >= 0) return lease
    this.unkeep()
    throw withCode(new RangeError('This token is of another pool, or its buffer has been taken'), 'ERR_LEASE_ENDED')
  }

  empty(): PoolEmptyError {
    return new PoolEmptyError(this.count)
  }

  stats(): PoolStats {
    return POOL.stats(this.native)
  }

  poll(): void {
    this.#line.serve()
  }

  tidy(): void {
    this.#line.tidy()
    if (!this.#line.first) leave(this)
  }
}
