/** A job as whoever assigned it has it: its promise, and where it stands. */
import { TimeoutError } from '../errors.js'
import { Call } from '../wait/call.js'
import type { Liveness } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'

/** A call whose time may be up, which says what was not done by then. */
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

/** A job, among those whose promises are pending. */
export class JobPlace extends Place<undefined> {
  readonly name: string
  number = 0
  /** While it is in flight; -1 elsewhere. */
  slot = -1
  /** While it is in the backlog: the job, encoded. */
  held: unknown
  /** The next one in the backlog. */
  behind: JobPlace | undefined
  readonly #cancelled: Int32Array

  constructor(call: Call, name: string, liveness: Liveness, cancelled: Int32Array) {
    super(call, undefined, liveness)
    this.name = name
    this.#cancelled = cancelled
  }

  /** The promise is settled; by something else than the answer, if the job is still in flight. */
  override leave(): void {
    if (!this.line) return
    super.leave()
    this.held = undefined
    // The worker looks there before it begins. One order of all atomic operations decides which
    // came first; nothing else is passed on by this store.
    if (this.slot >= 0) Atomics.store(this.#cancelled, this.slot, 1)
  }
}
