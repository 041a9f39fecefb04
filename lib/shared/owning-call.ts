/** Calls that wait for what this thread is to own. */
import { Call } from '../wait/call.js'

/** What the call is to get, and may have got. */
export interface Owned {
  /** Gives it back unused; does nothing if the thread does not own it. */
  giveUp(): void
}

/**
 * A call that waits for a lock, or a buffer. Whatever stops it in the middle, what it got is its
 * caller's, or given back.
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
}
