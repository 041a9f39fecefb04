/** Asynchronous calls that wait: one of them, and a line of them. */
import { addAbortListener } from 'node:events'
import { TimeoutError } from './errors.js'
import type { Liveness } from './loop.js'
import type { Patience } from './options.js'

/** The longest that a timer of Node's can take, in milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1

/** What stands in a line. Whoever gives it its outcome takes it out of the line first. */
export abstract class Place<Value, Want> {
  /** What the call is for. */
  readonly want: Want
  next: Place<Value, Want> | undefined
  previous: Place<Value, Want> | undefined

  constructor(want: Want) {
    this.want = want
  }

  abstract resolve(value: Value): void
  abstract reject(reason: unknown): void
}

/** A call that waits in one line, or (select.ts) in several. With its outcome, it has no timer and no listener left, and does not keep the process alive. */
export class Waiter<Value, Want> extends Place<Value, Want> {
  readonly promise: Promise<Value>
  #resolve!: (value: Value) => void
  #reject!: (reason: unknown) => void
  #liveness: Pick<Liveness, 'begin' | 'end'>
  #timer: NodeJS.Timeout | undefined
  #listener: Disposable | undefined
  /** Whether it has an outcome. */
  settled = false

  constructor(want: Want, liveness: Pick<Liveness, 'begin' | 'end'>) {
    super(want)
    this.#liveness = liveness
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    liveness.begin()
  }

  /** Calls `cancel` with the reason when the call's patience ends. `capacity`: of the queue it waits for. */
  limit({ signal, timeout }: Patience, cancel: (reason: unknown) => void, capacity?: number): void {
    // An abort that came before the listener is told of later, when the call may have its outcome.
    const giveUp = (reason: unknown): void => {
      if (!this.settled) cancel(reason)
    }
    try {
      if (timeout !== Infinity) this.#startTimer(timeout, () => giveUp(new TimeoutError(timeout, capacity)))
      if (signal) this.#listener = addAbortListener(signal, () => giveUp(signal.reason))
    } catch (error) {
      // A signal may have a way of its own to add listeners.
      this.#settle()
      throw error
    }
  }

  resolve(value: Value): void {
    this.#settle()
    this.#resolve(value)
  }

  reject(reason: unknown): void {
    this.#settle()
    this.#reject(reason)
  }

  #startTimer(milliseconds: number, over: () => void): void {
    const rest = milliseconds - LONGEST_TIMER
    // What keeps the process alive is the doorbell, not the timer.
    this.#timer = rest > 0 ? setTimeout(() => this.#startTimer(rest, over), LONGEST_TIMER) : setTimeout(over, milliseconds)
    this.#timer.unref()
  }

  #settle(): void {
    this.settled = true
    clearTimeout(this.#timer)
    this.#listener?.[Symbol.dispose]()
    this.#liveness.end()
  }
}

/** First in, first out, and any one can leave: a doubly linked list. */
export class Line<Value, Want> {
  first: Place<Value, Want> | undefined
  length = 0
  #last: Place<Value, Want> | undefined

  add(place: Place<Value, Want>): void {
    this.length++
    place.previous = this.#last
    if (this.#last) this.#last.next = place
    else this.first = place
    this.#last = place
  }

  remove(place: Place<Value, Want>): void {
    this.length--
    if (place.previous) place.previous.next = place.next
    else this.first = place.next
    if (place.next) place.next.previous = place.previous
    else this.#last = place.previous
    place.next = place.previous = undefined
  }

  /** Takes out the first. */
  shift(): Place<Value, Want> | undefined {
    const first = this.first
    if (first) this.remove(first)
    return first
  }
}
