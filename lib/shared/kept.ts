/**
 * What this thread owns something of - a lock that it holds, a buffer that was lent to it - stays
 * referenced, whatever the program forgets: the addon gives it back when the thread ends, and can
 * do so for objects alone that are there. A list and not a Set, as it changes with each
 * acquisition.
 */
export class Kept {
  /** How many it owns, or is about to. */
  #owned = 0
  #previous: Kept | undefined
  #next: Kept | undefined

  /** Before it tries to own one more. */
  keep(): void {
    if (this.#owned++ > 0) return
    const next = first
    this.#next = next
    if (next) next.#previous = this
    first = this
  }

  /** It owns one less, or has tried in vain. */
  unkeep(): void {
    if (--this.#owned > 0) return
    const previous = this.#previous
    const next = this.#next
    if (previous) previous.#next = next
    else first = next
    if (next) next.#previous = previous
    this.#previous = this.#next = undefined
  }
}

let first: Kept | undefined
