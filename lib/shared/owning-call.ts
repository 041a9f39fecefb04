/** Calls that wait for something that this thread will own. */
import { Call } from '../wait/call.js'

/** A grant or lease that a call waits for, and may have got. */
export interface Owned {
  /** Gives it back unused; does nothing if the thread does not own it. */
  giveUp(): void
}

/**
 * A call that waits for a lock or a buffer. If it is stopped in the middle, what it got either
 * reaches its caller or is given back.
 */
export class OwningCall extends Call {
  readonly #owned: Owned
  #delivered = false

  constructor(owned: Owned) {
    super()
    this.#owned = owned
  }

  override resolve(value: unknown): void {
    this.#delivered = true
    super.resolve(value)
  }

  override finish(): void {
    super.finish()
    if (this.settled && !this.#delivered) this.#owned.giveUp()
  }

  protected override drop(): void {
    super.drop()
    this.#owned.giveUp()
  }
}
