import { native } from '../addon/native.js'

/**
 * What this thread owns something of - a lock that it holds, a buffer that was lent to it - stays
 * referenced, whatever the program forgets: the addon gives it back when the thread ends, and can
 * do so only for objects that are still there. A list and not a Set, as it changes with each
 * acquisition. The addon has its head, one for all evaluations of the package in this thread: an
 * evaluation that is forgotten, as those of Jest are, may own something too.
 */
export abstract class Kept {
  /** How many it owns, or is about to. */
  #owned = 0
  /** @internal Not private, as the neighbour's class may be of another evaluation. */
  previousKept: KeptLink | undefined
  /** @internal */
  nextKept: KeptLink | undefined

  /** To be called before it tries to own one more. */
  keep(): void {
    if (this.#owned++ > 0) return
    const next = head.nextKept
    this.previousKept = head
    this.nextKept = next
    if (next) next.previousKept = this
    head.nextKept = this
  }

  /** It owns one less, or has tried in vain. */
  unkeep(): void {
    if (--this.#owned > 0) return
    const previous = this.previousKept as KeptLink
    const next = this.nextKept
    previous.nextKept = next
    if (next) next.previousKept = previous
    this.previousKept = this.nextKept = undefined
  }
}

/** What is kept, in any evaluation; or the head of the list. */
export interface KeptLink {
  previousKept?: KeptLink | undefined
  nextKept?: KeptLink | undefined
}

const head: KeptLink = native.kept
