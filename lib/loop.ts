/**
 * This thread's event loop, as what waits asynchronously: it has one doorbell, which other contexts ring, and everything that waits
 * in it is asked to look again on each ring.
 */
import { native } from './native.js'

/** Something with waiting calls in this thread. */
export interface Waiting {
  /** Serves those of its calls that can be served now. */
  poll(): void
  /** Puts in order what need not be when a call was served, as it may be that the next one waits already. */
  tidy(): void
}

const waiting = new Set<Waiting>()
/** Node's own: a test of the user's may put others in their place for a while, which drop what they were given, or stand still. */
const { setImmediate: inNextTurn } = globalThis
const now = performance.now.bind(performance)
let doorbell = false

/** How long asynchronous calls may be served at once, one after the other, before the loop gets to do other things: they need only microtasks. */
const TURN_MILLISECONDS = 1
/** How many of them for each look at the clock. */
const CALLS_PER_LOOK = 250
let calls = 0
let turnBegan = 0
let turnRequested = false

/** Whatever one of them throws, none is left out: they may have been rung for. */
function forAll(some: Iterable<Waiting>, call: (one: Waiting) => void): void {
  const errors: unknown[] = []
  for (const one of some) {
    try {
      call(one)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

function pollAll(): void {
  forAll(waiting, (one) => one.poll())
}

function beginTurn(): void {
  turnBegan = now()
  turnRequested = false
  pollAll()
}

/** Opens this loop's doorbell, the first time. Throws if too many loops of this process wait already. */
export function needDoorbell(): void {
  doorbell ||= native.openDoorbell(pollAll)
  if (!doorbell) throw new Error('threadsafe: no more event loops can wait in this process')
}

/** From now on `one` is polled on each ring. Throws as needDoorbell() does. */
export function join(one: Waiting): void {
  needDoorbell()
  waiting.add(one)
}

export function leave(one: Waiting): void {
  waiting.delete(one)
}

/**
 * Whether a call that could be served at once may be. Every so often the answer is no, and everything is polled in the loop's next turn:
 * a `for await` over a queue that is never empty must not keep timers and I/O from running.
 */
export function mayServeAtOnce(): boolean {
  if (turnRequested) return false
  if (++calls < CALLS_PER_LOOK) return true
  calls = 0
  if (now() - turnBegan < TURN_MILLISECONDS) return true
  turnRequested = true
  inNextTurn(beginTurn)
  return false
}

/** Whether everything will be polled soon without a ring, because mayServeAtOnce() said no. */
export function turnIsComing(): boolean {
  return turnRequested
}

/**
 * A call that was served goes on in a microtask, or, out of a `for await`, some microtasks later; and then most often waits again. Until then the doorbell
 * keeps the loop alive, and whatever else would be undone and done again stays as it is.
 */
const MICROTASKS = 5
const DONE = Promise.resolve()
const untidy = new Set<Waiting>()
let tidying = false

function tidySoon(microtasks = MICROTASKS): void {
  tidying = true
  void DONE.then(() => (microtasks > 0 ? tidySoon(microtasks - 1) : tidyAll()))
}

function tidyAll(): void {
  tidying = false
  const some = [...untidy]
  untidy.clear()
  keepAlive(keepingAlive > 0)
  forAll(some, (one) => one.tidy())
}

/** `one.tidy()` is called when those that were served have gone on. */
export function tidyLater(one: Waiting): void {
  untidy.add(one)
  if (!tidying) tidySoon()
}

let keepingAlive = 0
let alive = false

function keepAlive(wanted: boolean): void {
  if (wanted === alive) return
  needDoorbell()
  native.keepAlive(wanted)
  alive = wanted
}

function countKeepAlive(change: number): void {
  if (keepingAlive + change > 0) keepAlive(true)
  else if (!tidying) tidySoon()
  keepingAlive += change
}

/** Whether the pending calls of one object keep the process alive. They do, unless it is `unref()`ed. */
export class Liveness {
  #pending = 0
  #referenced: boolean

  constructor(referenced = true) {
    this.#referenced = referenced
  }

  begin(): void {
    if (this.#referenced) countKeepAlive(1)
    this.#pending++
  }

  end(): void {
    this.#pending--
    if (this.#referenced) countKeepAlive(-1)
  }

  reference(referenced: boolean): void {
    if (referenced === this.#referenced) return
    if (this.#pending > 0) countKeepAlive(referenced ? this.#pending : -this.#pending)
    this.#referenced = referenced
  }
}
