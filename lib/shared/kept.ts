import { native } from '../addon/native.js'

/**
 * An object of which this thread owns something: a lock that it holds, a pool that has lent it a
 * buffer. Such an object stays referenced, even if the program forgets it: the addon gives back
 * what the thread owned when the thread ends, and can do so only for objects that still exist. They
 * are in a list, not a Set, as it changes with each acquisition. The addon has the head of the
 * list, one for all evaluations of the package in this thread: an evaluation that is forgotten, as
 * those of Jest are, may own something too.
 */
export abstract class Kept {
  /** How many of them the thread owns, or is about to. */
  #owned = 0
  /** @internal Not private: the neighbour's class may be that of another evaluation. */
  previousKept: KeptLink | undefined
  /** @internal */
  nextKept: KeptLink | undefined

  /** Call this before the thread tries to own one more. */
  keep(): void {
    if (this.#owned++ > 0) return
    const next = head.nextKept
    this.previousKept = head
    this.nextKept = next
    if (next) next.previousKept = this
    head.nextKept = this
  }

  /** Call this when the thread owns one less, or has tried in vain. */
  unkeep(): void {
    if (--this.#owned > 0) return
    const previous = this.previousKept as KeptLink
    const next = this.nextKept
    previous.nextKept = next
    if (next) next.previousKept = previous
    this.previousKept = this.nextKept = undefined
  }
}

/** A kept object of any evaluation, or the head of the list. */
export interface KeptLink {
  previousKept?: KeptLink | undefined
  nextKept?: KeptLink | undefined
}

const head: KeptLink = native.kept
