/**
 * A record or a message as this thread has it open: its versions, the calls that wait for later
 * ones, and how its content gets in and out. Both are versions of some bytes
 * (native/core/record.h).
 */
import { incompatible } from '../addon/handle.js'
import { allocate, bytesOf, instantiate, type RecordCore } from '../addon/memory.js'
import { type NativeRecord, native, type OpenedRecord } from '../addon/native.js'
import { type Space, spaceOver } from '../addon/space.js'
import { type ElementType, isSameType, typeCode } from '../codec/element-type.js'
import { damaged, TimeoutError } from '../errors.js'
import { stagingAreaNumber } from '../lane/staging.js'
import { blocking } from '../wait/blocking.js'
import type { BlockMessage } from '../diagnostics.js'
import { Call } from '../wait/call.js'
import { ServedLine } from '../wait/line.js'
import { haveHadTheirTime, leave, type Liveness, mayServeAtOnce, pollSoon, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'
import { NOTHING, type Nothing, type Selectable } from '../wait/selectable.js'

const { record: RECORD, status: STATUS } = native

/** Given as the version that a write comes after: whichever is current. */
export const ANY = -1

/** 1 if the core needs a fence, else 0. */
export const FENCED = native.storesReordered ? 1 : 0

/** The core returns a version with, as the lowest bit, whether the message is set. */
const ONE_VERSION = 2

export function versionIn(told: number): number {
  return Math.floor(told / ONE_VERSION)
}

/**
 * A call that waits for a later version than `want`, and resolves to what `take()` returns then.
 */
export class VersionPlace extends Place<number> {
  readonly take: () => unknown

  constructor(call: Call, since: number, liveness: Liveness, take: () => unknown) {
    super(call, since, liveness)
    this.take = take
  }
}

/**
 * The calls that wait, in the order of the versions that they wait for. If one is not done, none
 * behind it is.
 */
class VersionLine extends ServedLine<number> {
  readonly #versions: Versions

  constructor(versions: Versions) {
    super(versions)
    this.#versions = versions
  }

  override add(place: Place<number>): void {
    // Searches from both ends: a call that waits for the next version, or for the latest of all,
    // finds its place soon.
    let { first, last } = this
    while (first && last && last.want > place.want && first.want <= place.want) {
      first = first.next
      last = last.previous
    }
    super.add(place, first && first.want > place.want ? first : last?.next)
  }

  protected override announce(): boolean {
    RECORD.announce(this.#versions.native)
    return true
  }

  protected override attempt(place: Place<number>): unknown {
    const taken = this.#versions.tryFor(place)
    return taken === NOTHING ? NOTHING : place.outcome(taken)
  }

  // Waiting calls are not counted. An announcement that stays costs no more than a ring in vain.
  protected override tell(): void {}
  protected override withdraw(): void {}
}

/** How often a write is tried without a pause. */
const QUICK_TRIES = 256
/** The pause between further tries, in milliseconds. */
const PAUSE = 0.05
/**
 * How long a write is tried while nobody else writes, in milliseconds. No buffer should be in the
 * middle of a write for that long.
 */
const PATIENCE = 5000

/**
 * Pauses between the tries of one write. Throws when neither it nor anybody else has written for
 * `patience` milliseconds.
 */
export class WritePatience {
  readonly #patience: number
  #tries = 0
  #end = 0
  /** The version that was current when #end was set. */
  #version = -1

  constructor(patience = PATIENCE) {
    this.#patience = patience
  }

  /** `version` is the current one. */
  pause(version: number): void {
    if (++this.#tries < QUICK_TRIES) return
    const now = native.now()
    if (version !== this.#version) {
      this.#version = version
      this.#end = now + this.#patience
    } else if (now > this.#end) {
      throw damaged('record')
    }
    native.sleep(PAUSE)
  }
}

export abstract class Versions implements Waiting, Selectable<number> {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly type: ElementType
  readonly core: RecordCore
  // Kept in fields: looking them up in the exports of an instance costs as much as the call.
  protected readonly coreRead: RecordCore['read']
  protected readonly coreWrite: RecordCore['write']
  readonly #word: RecordCore['word']
  readonly native: NativeRecord
  /** The length of the longest content, in bytes. */
  readonly bytes: number
  /**
   * This thread's staging area, and the length and the content in it. Undefined if no area was
   * left.
   */
  protected readonly staged: { readonly area: number; readonly length: Space; readonly content: Space } | undefined
  readonly #line: VersionLine

  /** `address` is where the memory is. */
  constructor(memory: WebAssembly.Memory, address: number, record: OpenedRecord, type: ElementType) {
    this.view = record.view
    this.lists = [address + native.lists.changed]
    this.type = type
    this.native = record.object
    this.bytes = record.bytes
    this.core = instantiate('record', memory, record.wake)
    this.coreRead = this.core.read
    this.coreWrite = this.core.write
    this.#word = this.core.word
    const area = stagingAreaNumber()
    if (area >= 0) {
      const { buffer } = bytesOf(memory)
      const at = record.staging + area * native.stagingBytes
      const { lengthBytes, stagingBytes } = native
      const content = spaceOver(buffer, at + lengthBytes, stagingBytes - lengthBytes)
      this.staged = { area, length: spaceOver(buffer, at, lengthBytes), content }
    }
    this.#line = new VersionLine(this)
  }

  /** Returns the newest value. */
  abstract value(): unknown

  version(): number {
    return versionIn(this.#word())
  }

  isSet(): boolean {
    return this.#word() % ONE_VERSION === 1
  }

  /**
   * Returns the version to wait beyond. It is the one before the current one if that is set, so
   * that the current one counts as later.
   */
  want(): number {
    const told = this.#word()
    return versionIn(told) - (told % ONE_VERSION)
  }

  isDone(since: number): boolean {
    return this.version() > since
  }

  /** Whether there is a later version, so that a call that waits for one may be served at once. */
  mayTakeNow(since: number): boolean {
    return this.isDone(since) && mayServeAtOnce()
  }

  tryNow(since: number): unknown | Nothing {
    return this.isDone(since) ? this.value() : NOTHING
  }

  /** All waiting calls are served, so there is no order to keep. */
  tryInOrder(since: number): unknown | Nothing {
    return this.tryNow(since)
  }

  tryFor(place: Place<number>): unknown | Nothing {
    if (!this.isDone(place.want)) return NOTHING
    return place instanceof VersionPlace ? place.take() : this.value()
  }

  // A call that is not the first looks for itself alone, so that its cost does not grow with the
  // line.
  enter(place: Place<number>): void {
    this.#line.enter(place)
    if (place.call.settled || !this.isDone(place.want)) return
    if (haveHadTheirTime()) pollSoon(this)
    else this.#line.serveAlone(place)
  }

  /** Resolves to what `take()` returns when there is a later version. */
  wait(since: number, patience: Patience, liveness: Liveness, take: () => unknown): Promise<unknown> {
    const once = patience.timeout === 0
    if (once ? this.isDone(since) : this.mayTakeNow(since)) return Promise.resolve(take())
    if (once) throw new TimeoutError(0)
    const call = new Call()
    return this.waitIn(new VersionPlace(call, since, liveness, take), patience)
  }

  waitIn(place: VersionPlace, patience: Patience): Promise<unknown> {
    return place.call.wait(patience, () => this.enter(place))
  }

  /**
   * Blocks until there is a later version. `sources` names the object, for the report of a long
   * block.
   */
  waitBlocking(since: number, timeout: number, sources: BlockMessage['sources']): void {
    if (this.isDone(since)) return
    if (timeout > 0) blocking('wait', sources, () => RECORD.waitBlocking(this.native, since, timeout))
    if (!this.isDone(since)) throw new TimeoutError(timeout)
  }

  poll(): void {
    this.#line.serve()
  }

  tidy(): void {
    this.#line.tidy()
    if (!this.#line.first) leave(this)
  }
}

/**
 * Allocates memory for content of that type, of at most so many bytes. Returns undefined if no
 * memory can have so many.
 */
export function allocateVersions(isMessage: boolean, type: ElementType, bytes: number): WebAssembly.Memory | undefined {
  // The addon takes a 32-bit number.
  const all = bytes < 2 ** 32 ? native.recordMemory(typeCode(type), bytes) : 0
  if (all === 0) return undefined
  const memory = allocate(all)
  native.initRecord(bytesOf(memory), isMessage, typeCode(type), bytes)
  return memory
}

/** Has the addon open the object in that memory. Throws if it is of another kind or type. */
export function openVersions(view: Uint8Array, isMessage: boolean, type: ElementType, fits: (bytes: number) => boolean): OpenedRecord {
  const record = native.openRecord(view, isMessage)
  if (!record || record.type !== typeCode(type) || !fits(record.bytes)) throw incompatible('its memory holds something else')
  return record
}

/** Throws if this thread has the memory open already, as content of another type. */
export function checkSameType(versions: Versions, type: ElementType): void {
  if (!isSameType(versions.type, type)) throw incompatible('its memory holds something else')
}

/** Throws if the core's result says that the memory is damaged. Returns any other result. */
export function checkTold(told: number): number {
  if (told === -STATUS.damaged) throw damaged('record')
  return told
}
