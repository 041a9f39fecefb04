/** Waiting for the first of several: gets from queues, events, and messages. */
import { blocking } from './wait/blocking.js'
import { invalidType, invalidValue, QueueClosedError, TimeoutError } from './errors.js'
import { channelOfEvent, livenessOfEvent, ThreadSafeEvent } from './event.js'
import { channelOfQueue, livenessOfQueue } from './queue/object.js'
import { type Liveness, mayServeAtOnce } from './wait/loop.js'
import { native } from './addon/native.js'
import { checkObject, checkTimeout, type Patience, patience, type WaitOptions } from './wait/options.js'
import { ThreadSafeQueue } from './queue/typed-queue.js'
import { livenessOfMessage, versionsOfMessage } from './shared/message.js'
import { Message } from './shared/typed.js'
import { NOTHING, type Selectable } from './wait/selectable.js'
import { Call } from './wait/call.js'
import { Place } from './wait/place.js'

const { status: STATUS } = native

/** A source that can be waited for: a get from a queue, an event, or a message. */
export type SelectSource = ThreadSafeQueue<unknown, unknown> | ThreadSafeEvent | Message<unknown, unknown>

function channelOf(source: SelectSource): Selectable<unknown> {
  if (source instanceof Message) return versionsOfMessage(source) as Selectable<unknown>
  return (source instanceof ThreadSafeEvent ? channelOfEvent(source) : channelOfQueue(source)) as Selectable<unknown>
}

function livenessOf(source: SelectSource): Liveness {
  if (source instanceof Message) return livenessOfMessage(source)
  return source instanceof ThreadSafeEvent ? livenessOfEvent(source) : livenessOfQueue(source)
}

type ItemFrom<Source> = Source extends { getSync(): infer Item }
  ? Item
  : Source extends { waitSync(): infer Value; value(): unknown }
    ? Value
    : undefined

type IndexOf<Key> = Key extends `${infer Index extends number}` ? Index : number

/**
 * The result of `select()`: one of these types for each source. Where the sources are a tuple,
 * `index` tells them apart.
 */
export type Selected<Sources extends readonly SelectSource[]> = {
  [Key in keyof Sources]: {
    /** The object that was ready: the one that was passed. */
    source: Sources[Key]
    /** Its index among the sources. */
    index: IndexOf<Key>
    /** The item taken from a queue, or the value of a message; undefined for an event. */
    item: ItemFrom<Sources[Key]>
  }
}[number]

/** Options of `selectSync()`. */
export interface SelectSyncOptions {
  /** Wait for at most so many milliseconds. 0 tries once. Default: Infinity. */
  timeout?: number | undefined
  /**
   * Of several sources that are ready, take the first in their order. Default: false, any of them.
   */
  biased?: boolean | undefined
}

/** Options of `select()`. */
export interface SelectOptions extends WaitOptions, SelectSyncOptions {}

type AnySelected = Selected<readonly SelectSource[]>
type Attempt = 'tryNow' | 'tryInOrder'

/** The error of a source. A QueueClosedError says which queue is closed. */
function failed(error: unknown, source: SelectSource, index: number): unknown {
  return error instanceof QueueClosedError ? Object.assign(error, { source, index }) : error
}

function tryOne(attempt: Attempt, sources: readonly SelectSource[], k: number, want: unknown): AnySelected | undefined {
  const channel = channelOf(sources[k] as SelectSource)
  let item: unknown
  try {
    item = (channel as Selectable<unknown>)[attempt](want)
    if (item === NOTHING) return undefined
  } catch (error) {
    const index = firstPlace(sources, channel)
    throw failed(error, sources[index] as SelectSource, index)
  }
  const index = firstPlace(sources, channel)
  return { source: sources[index] as SelectSource, index, item }
}

let state = 0x9e3779b9

/**
 * A pseudo-random whole number below `limit` (xorshift). Not Math.random(), which tests replace.
 */
function randomBelow(limit: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % limit
}

/**
 * Asks each place, in a random order, until one has found something. Each place that would find
 * something is equally likely to be the one.
 */
function inRandomOrder<Found>(count: number, ask: (k: number) => Found | undefined): Found | undefined {
  const places: number[] = []
  for (let k = 0; k < count; k++) places.push(k)
  for (let left = count; left > 0; left--) {
    const pick = randomBelow(left)
    const found = ask(places[pick] as number)
    if (found) return found
    places[pick] = places[left - 1] as number
  }
  return undefined
}

/** The same, in the order of the places. */
function inGivenOrder<Found>(count: number, ask: (k: number) => Found | undefined): Found | undefined {
  for (let k = 0; k < count; k++) {
    const found = ask(k)
    if (found) return found
  }
  return undefined
}

type InOrder = typeof inRandomOrder

function orderOf(biased: boolean | undefined): InOrder {
  return biased ? inGivenOrder : inRandomOrder
}

function tryAll(attempt: Attempt, sources: readonly SelectSource[], inOrder: InOrder): AnySelected | undefined {
  return inOrder(sources.length, (index) => {
    const source = sources[index] as SelectSource
    return tryOne(attempt, sources, index, channelOf(source).want())
  })
}

/** One source of a call, and its place in that source's line. */
class Branch extends Place<unknown> {
  readonly source: SelectSource
  readonly index: number
  readonly channel: Selectable<unknown>
  /**
   * In a biased call, the branches of the sources before this one. They are asked first when this
   * one can perhaps be served.
   */
  before: readonly Branch[] = []

  constructor(call: Call, source: SelectSource, index: number, liveness: Liveness) {
    const channel = channelOf(source)
    super(call, channel.want(), liveness)
    this.source = source
    this.index = index
    this.channel = channel
  }

  override outcome(item: unknown): AnySelected {
    const { source, index } = this
    return { source, index, item }
  }

  override fail(error: unknown): void {
    super.fail(failed(error, this.source, this.index))
  }

  override preempted(): boolean {
    return this.before.some((branch) => branch.#served())
  }

  #served(): boolean {
    try {
      const item = this.channel.tryFor(this)
      if (item === NOTHING) return false
      this.call.resolve(this.outcome(item))
    } catch (error) {
      this.fail(error)
    }
    return true
  }
}

/** An object that is given twice counts once, at its first place. */
function firstPlace(sources: readonly SelectSource[], channel: unknown): number {
  return sources.findIndex((source) => channelOf(source) === channel)
}

/**
 * One branch for each queue, event and message, and right behind it one for each further object of
 * the same. So the call keeps the process alive if any of its sources would.
 */
function branchesOf(call: Call, sources: readonly SelectSource[]): Branch[] {
  const branches = new Map<Liveness, Branch>()
  const first = new Map<unknown, number>()
  for (let k = 0; k < sources.length; k++) {
    const source = sources[k] as SelectSource
    const channel = channelOf(source)
    const liveness = livenessOf(source)
    const index = first.get(channel) ?? k
    first.set(channel, index)
    if (!branches.has(liveness)) branches.set(liveness, new Branch(call, sources[index] as SelectSource, index, liveness))
  }
  return [...branches.values()]
}

function checkBiased(options: SelectSyncOptions | undefined): boolean | undefined {
  checkObject('options', options)
  const biased = options?.biased
  if (biased !== undefined && typeof biased !== 'boolean') throw invalidType('options.biased', 'a boolean', biased)
  return biased
}

/**
 * Returns a copy of the array, which is the user's: reading it may run user code, and must not once
 * an item was taken.
 */
function checkSources(sources: unknown): readonly SelectSource[] {
  const expected = 'a ThreadSafeQueue, a ThreadSafeEvent or a Message'
  if (!Array.isArray(sources)) throw invalidType('sources', `an array, each of it ${expected}`, sources)
  const { length } = sources
  if (length === 0) throw invalidValue('sources', `an array of at least one, ${expected}`, sources)
  const copy: SelectSource[] = []
  for (let k = 0; k < length; k++) {
    const source: unknown = sources[k]
    if (!(source instanceof ThreadSafeQueue || source instanceof ThreadSafeEvent || source instanceof Message))
      throw invalidType(`sources[${k}]`, expected, source)
    copy.push(source as SelectSource)
  }
  return copy
}

/**
 * Waits in all lines at once. The first outcome settles the call and takes it out of the other
 * lines. All are in this thread, so no other outcome can come in between.
 */
function wait(sources: readonly SelectSource[], limits: Patience, biased: boolean | undefined): Promise<AnySelected> {
  const call = new Call()
  const branches = branchesOf(call, sources)
  if (biased) for (const branch of branches) branch.before = branches.filter(({ index }) => index < branch.index)
  const enter = (): void => {
    // Usually the order in which they look after a ring.
    orderOf(biased)(branches.length, (k) => {
      const branch = branches[k] as Branch
      branch.channel.enter(branch)
      return call.settled || undefined
    })
  }
  return call.wait(limits, enter) as Promise<AnySelected>
}

/**
 * Waits until one of several queues, events and messages is ready, and takes the item if it is a
 * queue: from that one only; the others lose nothing. A message stays set.
 *
 * - A queue is ready when there is an item, an event and a message when it is set, or was set (and
 *   perhaps cleared) since the call was made. A queue that is full is ready like any other.
 * - A queue that is closed and drained is ready as well: the promise rejects with
 *   `QueueClosedError`, which has its `source` and `index`. Leave it out of the next call.
 * - Of several that are ready one is taken at random, each as likely as the others; or, with
 *   `biased: true`, the first in the order of `sources`. A source that is always ready then keeps
 *   those behind it waiting.
 * - Like a `get()`, it stands in the line of each queue: it does not overtake this thread's earlier
 *   gets, and later ones do not overtake it.
 * - The same object given twice counts once, at its first place.
 *
 * Empty: it waits, for at most `timeout` milliseconds; then it rejects with `TimeoutError`, or with
 * the signal's `reason` when that is aborted: nothing was taken. `timeout: 0` tries once. While it
 * is pending it keeps the process alive, unless all its sources are `unref()`ed. Rejects with
 * `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for what are no sources, or none at
 * all.
 *
 * @example
 * const got = await select([jobs, stop], { timeout: 1000 })
 * if (got.index === 0) run(got.item) // of the jobs' type
 * else shutDown()
 * @example
 * const { item } = await select([urgent, normal], { biased: true }) // a normal one only when there is no urgent one
 */
export function select<const Sources extends readonly SelectSource[]>(
  sources: Sources,
  options?: SelectOptions,
): Promise<Selected<Sources>> {
  try {
    const biased = checkBiased(options)
    const limits = patience(options)
    const all = checkSources(sources)
    const once = limits.timeout === 0
    const selected = once || mayServeAtOnce() ? tryAll('tryInOrder', all, orderOf(biased)) : undefined
    if (!selected && once) throw new TimeoutError(0)
    return (selected ? Promise.resolve(selected) : wait(all, limits, biased)) as Promise<Selected<Sources>>
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * The same, blocking this thread: for workers. It waits for ever if no `timeout` is given, as there
 * is `tryGet()` for not waiting; `timeout: 0` tries once. `biased` is as for `select()`. Throws
 * what `select()` rejects with. Like all synchronous calls it may overtake asynchronous ones that
 * wait.
 *
 * @example
 * const { source, item } = selectSync([urgent, normal], { timeout: 100 })
 */
export function selectSync<const Sources extends readonly SelectSource[]>(
  sources: Sources,
  options?: SelectSyncOptions,
): Selected<Sources> {
  const inOrder = orderOf(checkBiased(options))
  const timeout = checkTimeout(options?.timeout)
  const all = checkSources(sources)
  const selected = tryAll('tryNow', all, inOrder)
  if (!selected && timeout === 0) throw new TimeoutError(0)
  return (selected ?? blocking('select', all, () => block(all, timeout, inOrder))) as Selected<Sources>
}

/**
 * Blocks until something is ready. The addon only says that there is probably something, and takes
 * nothing, so items of all types take their usual path.
 */
function block(sources: readonly SelectSource[], timeout: number, inOrder: InOrder): AnySelected {
  const channels = sources.map((source): unknown => channelOf(source))
  const places = channels.flatMap((channel, k) => (channels.indexOf(channel) === k ? [k] : []))
  const objects = places.map((k) => channelOf(sources[k] as SelectSource).native)
  const wants = places.map((k): unknown => channelOf(sources[k] as SelectSource).want())
  const words = wants.map((want) => (typeof want === 'number' ? want : 0))
  const end = native.now() + timeout
  for (;;) {
    const status = native.selectBlocking(objects, words, Math.max(0, end - native.now()))
    const selected = inOrder(places.length, (k) => tryOne('tryNow', sources, places[k] as number, wants[k]))
    if (selected) return selected
    // The time counts also where others are quicker each time, or the memory was written over.
    if (status === STATUS.timeout || native.now() >= end) throw new TimeoutError(timeout)
  }
}
