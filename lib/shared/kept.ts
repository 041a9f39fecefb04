/**
 * What this thread owns something of - a lock that it holds, a buffer that was lent to it - stays
 * referenced, whatever the program forgets: the addon gives it back when the thread ends, and can
 * do so only for objects that are still there. A list and not a Set, as it changes with each
 * acquisition.
 */
export abstract class Kept {
  /** How many it owns, or is about to. */
  #owned = 0
  #previous: Kept | undefined
  #next: Kept | undefined

  /** To be called before it tries to own one more. */
  keep(): void {
    if (this.#owned++ > 0) return
    const next = head.#next
    this.#previous = head
    this.#next = next
    if (next) next.#previous = this
    head.#next = this
  }

  /** It owns one less, or has tried in vain. */
  unkeep(): void {
    if (--this.#owned > 0) return
    const previous = this.#previous as Kept
    const next = this.#next
    previous.#next = next
    if (next) next.#previous = previous
    this.#previous = this.#next = undefined
  }
}

/** In front of the first. */
class Head extends Kept {}

const head: Kept = new Head()
