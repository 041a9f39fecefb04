/** Asynchronous calls that wait: one of them, and a line of them. */
import { addAbortListener } from 'node:events'
import { TimeoutError } from './errors.js'
import type { Liveness } from './loop.js'
import type { Patience } from './options.js'

/** The longest that a timer of Node's can take, in milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * A call in a line. Whoever settles it takes it out of the line first; afterwards it has no timer and no listener left, and does not keep
 * the process alive.
 */
export class Waiter<Value, Want> {
  readonly promise: Promise<Value>
  /** What the call is for. */
  readonly want: Want
  next: Waiter<Value, Want> | undefined
  previous: Waiter<Value, Want> | undefined
  #resolve!: (value: Value) => void
  #reject!: (reason: unknown) => void
  #liveness: Liveness
  #timer: NodeJS.Timeout | undefined
  #listener: Disposable | undefined
  /** Whether it is out of its line, with an outcome. */
  settled = false

  constructor(want: Want, liveness: Liveness) {
    this.want = want
    this.#liveness = liveness
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    liveness.begin()
  }

  /** Calls `giveUp` with the reason when the call's patience ends. */
  limit({ signal, timeout }: Patience, cancel: (reason: unknown) => void): void {
    // An abort that came before the listener is told of later, when the call may have its outcome.
    const giveUp = (reason: unknown): void => {
      if (!this.settled) cancel(reason)
    }
    if (timeout !== Infinity) this.#startTimer(timeout, () => giveUp(new TimeoutError(timeout)))
    if (signal) this.#listener = addAbortListener(signal, () => giveUp(signal.reason))
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
    this.#timer = (rest > 0 ? setTimeout(() => this.#startTimer(rest, over), LONGEST_TIMER) : setTimeout(over, milliseconds)).unref()
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
  first: Waiter<Value, Want> | undefined
  length = 0
  #last: Waiter<Value, Want> | undefined

  add(waiter: Waiter<Value, Want>): void {
    this.length++
    waiter.previous = this.#last
    if (this.#last) this.#last.next = waiter
    else this.first = waiter
    this.#last = waiter
  }

  remove(waiter: Waiter<Value, Want>): void {
    this.length--
    if (waiter.previous) waiter.previous.next = waiter.next
    else this.first = waiter.next
    if (waiter.next) waiter.next.previous = waiter.previous
    else this.#last = waiter.previous
    waiter.next = waiter.previous = undefined
  }

  /** Takes out the first. */
  shift(): Waiter<Value, Want> | undefined {
    const first = this.first
    if (first) this.remove(first)
    return first
  }
}
