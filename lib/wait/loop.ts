/**
 * This thread's event loop as a waiter. It has one doorbell, which other contexts ring. A ring
 * names the lists that it is for, and whatever waits there looks again. Timers and clock are the
 * addon's, since tests replace those of Node.
 *
 * What may stop us: the stack may overflow wherever a function is entered. A script of node:vm
 * whose time is up is ended there too, and wherever a loop comes round, without running any
 * `finally`. Code between two such places always completes. So before a call changes anything, it
 * schedules a microtask that looks after it. That microtask trusts nothing but the lines
 * themselves. From Node 22 on a script may also be ended where a WebAssembly function returns that
 * is not optimized yet. Then what it was getting is lost, as nothing can be done about it; comments
 * elsewhere leave that out.
 */
import { type Listener, native } from '../addon/native.js'

/** Something with waiting calls in this thread. */
export interface Waiting {
  /** The addresses of the wait lists where its calls wait. Rings name these. */
  readonly lists: readonly number[]
  /** Serves those of its calls that can be served now. */
  poll(): void
  /**
   * Tidies up what was left when calls were served, since often the next one waits by then; and
   * what a call that was stopped has left.
   */
  tidy(): void
  /** Whether it is due to be tidied; see tidyLater(). */
  untidy: boolean
}

/** A call that waits. */
export interface Held {
  /**
   * Completes what was interrupted if the call was stopped while it was made, or given its outcome.
   */
  repair(): void
  /** Called when its time is up. */
  expire(): void
}

let listener: Listener | undefined
/** The objects with waiting calls, by the addresses of their lists. */
const waiting = new Map<number, Waiting>()
/** The objects to poll in the next iteration of the loop, whose doorbell has been rung for that. */
let soon = new Set<Waiting>()
/**
 * Those that have used up the time of this iteration. They are polled after the others in the next
 * one, so that none starves.
 */
let thereafter = new Set<Waiting>()
let untidy: Waiting[] = []
let held: Held[] = []
const due = new Map<number, Held>()
let lastNumber = 0

/**
 * Calls all, even if some throw, since each may have been rung for. Their errors are added to
 * `errors`.
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

/** Called by the loop, when no other JavaScript of this thread is running. */
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

/** Has `one` polled from now on when one of its lists is rung for. Needs the doorbell. */
export function join(one: Waiting): void {
  for (const list of one.lists) waiting.set(list, one)
}

/** Undoes join(), once all announcements of `one` have been withdrawn. */
export function leave(one: Waiting): void {
  for (const list of one.lists) waiting.delete(list)
}

/**
 * How many calls may still be served at once before the next look at the clock. The addon sets it
 * to one in each iteration of the loop. It is never large, since nobody knows how long the caller
 * takes with an item.
 */
const callsLeft = Int32Array.of(1)
/**
 * The number of lists that the doorbell was rung for, and their addresses. -1 as the number means
 * perhaps any list. The addon writes it before it calls.
 */
const rung = new Float64Array(1 + native.rungLists)
/**
 * Whether calls have used up their time in this iteration of the loop. Then the doorbell has been
 * rung for the next.
 */
let spent = false

/**
 * Whether a call that could be served at once may be. Every so often it may not, so that a `for
 * await` over a queue that is never empty does not keep timers and I/O from running.
 */
export function mayServeAtOnce(): boolean {
  return --(callsLeft[0] as number) > 0 || look()
}

/**
 * How many more items a call that takes many may take before it asks again. None, unless the last
 * look has shown that calls are quick, so that asking would be a good part of an item's cost.
 */
export function mayTakeUnasked(): number {
  return (callsLeft[0] as number) > QUICK ? UNASKED : 0
}

/** A look allows more calls than this only if those before took a small part of their time. */
const QUICK = 4
const UNASKED = 7

function look(): boolean {
  if (spent) return false
  // Without a doorbell the loop can't be made to wait.
  if (!listen()) return true
  const calls = native.look()
  callsLeft[0] = calls
  spent = calls === 0
  return !spent
}

/**
 * Whether calls have used up their time in this iteration of the loop. Then none is served before
 * the next.
 */
export function haveHadTheirTime(): boolean {
  return spent
}

/**
 * Has `one` polled in the next iteration of the loop, without a ring from outside. Call it only
 * where calls have used up their time.
 */
export function pollSoon(one: Waiting): void {
  soon.add(one)
}

/** Like pollSoon(), for one that has used up that time itself. */
export function pollThereafter(one: Waiting): void {
  thereafter.add(one)
}

/**
 * How many microtasks pass before tidying. The caller of a call that was served goes on in a
 * microtask, or some microtasks later in a `for await`, and most often waits again. Until then the
 * doorbell keeps the loop alive, and nothing is undone that would be done again.
 */
const MICROTASKS = 5
let tidying = false

const DONE = Promise.resolve()
/** Node's own `then`, even if a program replaces it later. */
const { then } = Promise.prototype
const { apply } = Reflect

function needTidying(): void {
  if (tidying) return
  // Not an asynchronous function directly: if that threw for want of stack, its promise would
  // swallow the error.
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

/** Has `one.tidy()` called once the callers of served calls have gone on. */
export function tidyLater(one: Waiting): void {
  if (!one.untidy) {
    untidy.push(one)
    one.untidy = true
  }
  needTidying()
}

/**
 * Says that the call is about to be changed. It is repaired later if that change was stopped
 * halfway.
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
 * How many waiting calls keep the process alive. A property, so that other modules can change it
 * without calling a function in the middle of what must be done whole.
 */
export const keepingAlive = { calls: 0 }

/** What the addon was last told; undefined if unknown. */
let toldAlive: boolean | undefined = false
let toldWaits: boolean | undefined = false

function tellLoop(): void {
  const alive = keepingAlive.calls > 0
  // A signal source that is ref()ed has no wait list, but keeps the loop alive as long as it is
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
 * Counts the pending calls of one object, which keep the process alive unless the object is
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
