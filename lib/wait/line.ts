/**
 * The calls of this thread that wait for the same thing, and how they are served: one protocol for
 * gets, puts, events and joins.
 */
import { haveHadTheirTime, join, keepingAlive, mayServeAtOnce, pollSoon, pollThereafter, tidyLater, type Waiting } from './loop.js'
import type { Place } from './place.js'
import { NOTHING } from './selectable.js'

/**
 * First in, first out, and any one can leave: a doubly linked list. Each change is done whole,
 * together with the counts of who waits: it calls nothing.
 */
export class Line<Want> {
  readonly owner: Waiting
  first: Place<Want> | undefined
  length = 0
  #last: Place<Want> | undefined

  constructor(owner: Waiting) {
    this.owner = owner
  }

  protected get last(): Place<Want> | undefined {
    return this.#last
  }

  /** In front of that one, or as the last. */
  add(place: Place<Want>, next?: Place<Want>): void {
    const { liveness } = place
    const previous = next ? next.previous : this.#last
    this.length++
    liveness.calls++
    if (liveness.referenced) keepingAlive.calls++
    place.line = this
    place.previous = previous
    place.next = next
    if (previous) previous.next = place
    else this.first = place
    if (next) next.previous = place
    else this.#last = place
  }

  remove(place: Place<Want>): void {
    if (place.line !== this) return
    const { liveness } = place
    this.length--
    liveness.calls--
    if (liveness.referenced) keepingAlive.calls--
    place.line = undefined
    if (place.previous) place.previous.next = place.next
    else this.first = place.next
    if (place.next) place.next.previous = place.previous
    else this.#last = place.previous
    place.next = place.previous = undefined
  }
}

/**
 * A line whose calls are served here. No wake is lost: it tries, announces this loop, and looks
 * again before it falls asleep. Whoever makes a change that concerns it looks for announcements
 * after that: it sees this one and rings, or this look sees the change (native/core/wait.h).
 */
export abstract class ServedLine<Want> extends Line<Want> {
  /**
   * Whether it was announced, and looked since in vain: whoever makes a change that concerns it
   * rings, or has rung.
   */
  #asleep = false
  /** Whether this loop may be announced, since that was not withdrawn. */
  #announced = false
  /** How many calls the object has been told to wait here. */
  #told = 0

  /**
   * Announces this loop, with so many calls that wait. Returns whether something could perhaps be
   * done now.
   */
  protected abstract announce(calls: number): boolean

  /** Tells that so many calls wait, for statistics. */
  protected abstract tell(calls: number): void

  /**
   * Nobody waits here any more: the next change is for others to hear of, and those that this loop
   * was rung for and has not used up.
   */
  protected abstract withdraw(): void

  /**
   * Does what the place is for. Returns the call's outcome, or NOTHING if it has to wait. Throws
   * what the call fails with.
   */
  protected abstract attempt(place: Place<Want>): unknown

  /** The first one waits. `vainly`: something could perhaps be done, but not this. */
  protected fallsAsleep?(first: Place<Want>, vainly: boolean): void

  /**
   * For a call that has just tried in vain: announces it, if it is the first, and serves it if it
   * can be by now.
   */
  enter(place: Place<Want>): void {
    this.#arrive(place)
    // Nobody else's call: this one may be stopped in the middle of it.
    if (this.first === place && !this.#announce()) {
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.#serve(true)
    }
    this.tellCount()
  }

  /** The same for one that has not tried. */
  enterAgain(place: Place<Want>): void {
    this.#arrive(place)
    if (this.first === place) {
      this.#asleep = false
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.serve()
    }
    this.tellCount()
  }

  /** The same, and it is served in a microtask: when the caller has what this returns to. */
  enterLater(place: Place<Want>): void {
    this.#arrive(place)
    // The line may have fallen asleep for others, which have left it.
    if (this.first === place) this.#asleep = false
    this.tellCount()
  }

  #arrive(place: Place<Want>): void {
    tidyLater(this.owner)
    join(this.owner)
    this.add(place)
  }

  /** Serves those that can be served, in their order. */
  serve(): void {
    this.#serve(false)
  }

  #serve(looked: boolean): void {
    let announced = looked
    let repeated = false
    this.#asleep = false
    for (let first = this.first; first; first = this.first) {
      const { call, repeats } = first
      if (call.settled || first.preempted()) {
        call.finish()
        continue
      }
      if (repeats && !mayServeAtOnce()) {
        if (repeated) pollThereafter(this.owner)
        else pollSoon(this.owner)
        return
      }
      let outcome: unknown
      try {
        outcome = this.attempt(first)
      } catch (error) {
        // That the queue is closed, say, or that an item can't be decoded, is this call's to tell
        // of; the others go on.
        first.fail(error)
        continue
      }
      if (outcome !== NOTHING) {
        first.give(outcome)
        if (repeats) {
          // Its code may have waited here itself, and withdrawn the announcement.
          announced = false
          repeated = true
        }
      } else if (announced) {
        this.#asleep = true
        this.fallsAsleep?.(first, true)
        return
      } else if (this.#announce()) {
        return
      } else {
        announced = true
      }
    }
    this.emptied()
  }

  /** Whether it has fallen asleep. */
  #announce(): boolean {
    const { length } = this
    this.#announced = true
    this.#asleep = !this.announce(length)
    this.#told = length
    if (this.#asleep && this.first) this.fallsAsleep?.(this.first, false)
    return this.#asleep
  }

  /** No call is left. */
  protected emptied(): void {
    if (!this.#announced) return
    this.withdraw()
    this.#announced = false
    this.#told = 0
  }

  /** As Waiting.tidy(). */
  tidy(): void {
    if (!this.first) this.emptied()
    else if (!this.#asleep) {
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.serve()
    }
    this.tellCount()
  }

  /** Whether to look again, though nothing has changed: the first one needs less. */
  protected awaken(): void {
    this.#asleep = false
  }

  /**
   * For the statistics, which are of all threads. What was served is told late, as most often the
   * next one waits by then.
   */
  tellCount(): void {
    const { length } = this
    if (length === this.#told) return
    this.tell(length)
    this.#told = length
  }
}
