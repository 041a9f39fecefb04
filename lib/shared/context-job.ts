/** A job on the side of its caller: its promise, and where the job is. */
import { TimeoutError } from '../errors.js'
import { Call } from '../wait/call.js'
import type { Liveness } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'

/** A call with a time limit, whose error says what was not done in time. */
export class TimedCall extends Call {
  readonly #what: string
  readonly #milliseconds: number

  constructor(what: string, { timeout }: Patience) {
    super()
    this.#what = what
    this.#milliseconds = timeout
  }

  override expire(): void {
    this.places?.look()
    const error = new TimeoutError(this.#milliseconds)
    error.message = `${this.#what} within ${this.#milliseconds} ms`
    this.cancel(error)
  }
}

/** A job whose promise is pending, or that is still in flight. */
export class JobPlace extends Place<undefined> {
  readonly name: string
  number = 0
  /** The job's slot while it is in flight, -1 otherwise. */
  slot = -1
  /** The encoded job while it is in the backlog. */
  held: unknown
  /** The next job in the backlog. */
  behind: JobPlace | undefined
  readonly #cancelled: Int32Array

  constructor(call: Call, name: string, liveness: Liveness, cancelled: Int32Array) {
    super(call, undefined, liveness)
    this.name = name
    this.#cancelled = cancelled
  }

  /**
   * Called when the promise is settled. If the job is still in flight, it was not settled by the
   * answer.
   */
  override leave(): void {
    if (!this.line) return
    super.leave()
    this.held = undefined
    // The worker looks at this word before it begins the job. The single total order of
    // JavaScript's atomic operations decides which came first. The store publishes nothing else.
    if (this.slot >= 0) Atomics.store(this.#cancelled, this.slot, 1)
  }
}
