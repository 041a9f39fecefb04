/**
 * This thread's event loop, as what waits asynchronously: it has one doorbell, which other contexts
 * ring, and everything that waits in it is asked to look again on each ring. Timers and clock are
 * the addon's: tests replace those of Node.
 *
 * What may stop us. A script of node:vm is ended when its time is up, and a stack may overflow: at
 * whatever function is entered, and (the script) wherever a loop comes round. No `finally` runs for
 * the script. What lies between two such places is done whole. So each call first sees to it that a
 * microtask will look after what it touches, and only then changes it; that look trusts nothing but
 * the lines themselves.
 */
import { type Listener, native } from '../addon/native.js'

/** Something with waiting calls in this thread. */
export interface Waiting {
  /** Where they wait: the addresses of its wait lists, which a ring is for. */
  readonly lists: readonly number[]
  /** Serves those of its calls that can be served now. */
  poll(): void
  /**
   * Puts in order what need not be when a call was served, as it may be that the next one waits
   * already; and what a call that was stopped has left.
   */
  tidy(): void
  /** For tidyLater(): whether it will be tidied. */
  untidy: boolean
}

/** A call that waits. */
export interface Held {
  /** Does what is left to do, if it was stopped while it was made, or given its outcome. */
  repair(): void
  /** Its time is up. */
  expire(): void
}

let listener: Listener | undefined
/** What waits, by its lists. */
const waiting = new Map<number, Waiting>()
/** What is polled in the next iteration of the loop, whose doorbell has been rung for that. */
let soon = new Set<Waiting>()
/**
 * The same for those that have used up the time of this iteration: the others come before them in
 * the next one, so that none starves.
 */
let thereafter = new Set<Waiting>()
let untidy: Waiting[] = []
let held: Held[] = []
const due = new Map<number, Held>()
let lastNumber = 0

/**
 * Whatever one of them throws, none is left out: they may have been rung for. What they throw is
 * added to `errors`.
 */
function forAll<One>(some: Iterable<One>, call: (one: One) => void, errors: unknown[]): void {
  for (const one of some) {
    try {
      call(one)
    } catch (error) {
      errors.push(error)
    }
  }
}

function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors[0]
}

/** The loop calls: no JavaScript of this thread is under way. */
function onLoop(numbers?: number[]): void {
  const errors: unknown[] = []
  if (numbers) forAll(numbers, expire, errors)
  else rungFor(errors)
  throwFirst(errors)
}

function rungFor(errors: unknown[]): void {
  spent = false
  if (held.length + untidy.length > 0) tidyAll(errors)
  const some = soon
  for (const one of thereafter) some.add(one)
  soon = new Set()
  thereafter = new Set()
  const count = rung[0] as number
  if (count < 0) for (const one of waiting.values()) some.add(one)
  for (let k = 1; k <= count; k++) {
    const one = waiting.get(rung[k] as number)
    if (one) some.add(one)
  }
  forAll(some, (one) => one.poll(), errors)
}

function expire(number: number): void {
  const call = due.get(number)
  due.delete(number)
  call?.expire()
}

function listen(): boolean {
  listener ??= native.listen(onLoop, callsLeft, rung)
  return listener !== undefined
}

/**
 * Opens this loop's doorbell, the first time. Throws if too many loops of this process wait
 * already.
 */
export function needDoorbell(): Listener {
  if (!listen()) throw new Error('threadsafe: no more event loops can wait in this process')
  return listener as Listener
}

/** From now on `one` is polled when one of its lists is rung for. Needs the doorbell. */
export function join(one: Waiting): void {
  for (const list of one.lists) waiting.set(list, one)
}

/** Whatever it had announced has been withdrawn. */
export function leave(one: Waiting): void {
  for (const list of one.lists) waiting.delete(list)
}

/**
 * How many calls may still be served at once before the clock is looked at. That is one in each
 * iteration of the loop, where the addon sets it, and few always: nobody knows how long what the
 * caller does with an item will take.
 */
const callsLeft = Int32Array.of(1)
/**
 * How many lists the doorbell was rung for, and their addresses; -1 in place of the number: perhaps
 * for any. The addon writes it before it calls.
 */
const rung = new Float64Array(1 + native.rungLists)
/**
 * Whether calls have had their time of this iteration of the loop. Then the doorbell has been rung.
 */
let spent = false

/**
 * Whether a call that could be served at once may be. Every so often it may not: a `for
 * await` over a queue that is never empty must not keep timers and I/O from running.
 */
export function mayServeAtOnce(): boolean {
  return --(callsLeft[0] as number) > 0 || look()
}

/**
 * How many more items a call that takes one after another may take before it asks again. None,
 * until the last look has shown that calls are quick: then asking costs a good part of what an item
 * does.
 */
export function mayTakeUnasked(): number {
  return (callsLeft[0] as number) > QUICK ? UNASKED : 0
}

/** A look allows more calls than this only if those before took a small part of their time. */
const QUICK = 4
const UNASKED = 7

function look(): boolean {
  if (spent) return false
  // A loop that can't wait can't be made to.
  if (!listen()) return true
  const calls = native.look()
  callsLeft[0] = calls
  spent = calls === 0
  return !spent
}

/**
 * Whether calls have had their time of this iteration of the loop: then none is served before the
 * next.
 */
export function haveHadTheirTime(): boolean {
  return spent
}

/**
 * `one` is polled in the next iteration of the loop, without a ring from outside. Only where calls
 * have had their time.
 */
export function pollSoon(one: Waiting): void {
  soon.add(one)
}

/** The same for `one` that has used that time itself. */
export function pollThereafter(one: Waiting): void {
  thereafter.add(one)
}

/**
 * A call that was served goes on in a microtask, or, out of a `for await`, some microtasks later;
 * and then most often waits again. Until then the doorbell keeps the loop alive, and whatever else
 * would be undone and done again stays as it is.
 */
const MICROTASKS = 5
let tidying = false

const DONE = Promise.resolve()
/** Node's own, whatever somebody may put in its place. */
const { then } = Promise.prototype
const { apply } = Reflect

function needTidying(): void {
  if (tidying) return
  // Not an asynchronous function at once: what throws in it, as it does where the stack is full,
  // would go to its promise.
  void apply(then, DONE, [tidyInMicrotasks])
  tidying = true
}

function tidyInMicrotasks(): void {
  void tidySoon()
}

async function tidySoon(): Promise<void> {
  for (let k = 0; k < MICROTASKS; k++) await undefined
  const errors: unknown[] = []
  tidyAll(errors)
  throwFirst(errors)
}

function tidyAll(errors: unknown[]): void {
  tidying = false
  const calls = held
  const some = untidy
  held = []
  untidy = []
  for (let k = 0; k < some.length; k++) (some[k] as Waiting).untidy = false
  if (calls.length > 0) forAll(calls, (call) => call.repair(), errors)
  forAll(some, (one) => one.tidy(), errors)
  forAll([tellLoop], (tell) => tell(), errors)
}

/** `one.tidy()` is called when those that were served have gone on. */
export function tidyLater(one: Waiting): void {
  if (!one.untidy) {
    untidy.push(one)
    one.untidy = true
  }
  needTidying()
}

/**
 * Something is done with the call now. It is looked at when those that were served have gone on:
 * where that has not been done to its end, it is repaired.
 */
export function hold(call: Held): void {
  held.push(call)
  needTidying()
}

/** When a call expires. */
export interface Deadline {
  readonly number: number
  readonly at: number
}

export function setDeadline(call: Held, milliseconds: number): Deadline {
  const listener = needDoorbell()
  const number = ++lastNumber
  const at = native.setDeadline(listener, number, milliseconds)
  due.set(number, call)
  return { number, at }
}

export function clearDeadline({ number, at }: Deadline): void {
  if (due.delete(number)) native.clearDeadline(listener as Listener, number, at)
}

/**
 * How many calls that wait keep the process alive. In an object, as it is changed by others in the
 * middle of what must be done whole.
 */
export const keepingAlive = { calls: 0 }

/** What the addon has been told; undefined if that is not known. */
let toldAlive: boolean | undefined = false
let toldWaits: boolean | undefined = false

function tellLoop(): void {
  const alive = keepingAlive.calls > 0
  // A source that is ref()ed waits for nothing, and is to keep the loop alive as long as it is
  // attached.
  const waits = alive || waiting.size > 0
  if (alive === toldAlive && waits === toldWaits) return
  const listener = needDoorbell()
  toldAlive = toldWaits = undefined
  native.keep(listener, alive, waits)
  toldAlive = alive
  toldWaits = waits
}

/**
 * Whether the pending calls of one object keep the process alive. They do, unless it is
 * `unref()`ed.
 */
export class Liveness {
  /** How many are pending. Written by Line in line.ts. */
  calls = 0
  referenced: boolean

  constructor(referenced = true) {
    this.referenced = referenced
  }

  begin(): void {
    if (this.referenced) needDoorbell()
    needTidying()
    this.calls++
    if (this.referenced) keepingAlive.calls++
  }

  end(): void {
    needTidying()
    this.calls--
    if (this.referenced) keepingAlive.calls--
  }

  reference(referenced: boolean): void {
    if (referenced === this.referenced) return
    if (this.calls > 0) needDoorbell()
    needTidying()
    keepingAlive.calls += referenced ? this.calls : -this.calls
    this.referenced = referenced
  }
}
