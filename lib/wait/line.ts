/**
 * The calls of this thread that wait for the same thing, and how they are served: one protocol for
 * gets, puts, events and joins.
 */
import { haveHadTheirTime, join, keepingAlive, mayServeAtOnce, pollSoon, pollThereafter, tidyLater, type Waiting } from './loop.js'
import type { Place } from './place.js'
import { NOTHING } from './selectable.js'

/**
 * A doubly linked list: first in, first out, and any place can leave. Each change, counts of
 * waiters included, is made without calling anything, so nothing can stop it halfway.
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

  /** Called when the time of that call is up, and the line was served. */
  lookFor?(place: Place<Want>): void

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
 * A line that serves its calls. No wake is lost: it tries, announces this loop, and looks again
 * before it falls asleep. Whoever makes a change looks for announcements afterwards. So either they
 * see this one and ring, or this look sees their change (native/core/wait.h).
 */
export abstract class ServedLine<Want> extends Line<Want> {
  /**
   * Whether the loop was announced, and has looked in vain since. Then whoever makes a change
   * rings, or has rung.
   */
  #asleep = false
  /** Whether this loop may still be announced: it was, and has not withdrawn since. */
  #announced = false
  /** How many waiting calls the object was last told of. */
  #told = 0

  /**
   * Announces this loop, and that `calls` of its calls wait. Returns whether something could
   * perhaps be done now.
   */
  protected abstract announce(calls: number): boolean

  /** Says how many calls wait, for statistics. */
  protected abstract tell(calls: number): void

  /**
   * Withdraws the announcement, as nobody waits here any more. Others must hear of the next change,
   * and of those that this loop was rung for and has not used.
   */
  protected abstract withdraw(): void

  /**
   * Tries to do what the place is for. Returns the call's outcome, or NOTHING if it has to wait.
   * Throws what the call fails with.
   */
  protected abstract attempt(place: Place<Want>): unknown

  /**
   * Called when the first one has to wait. `vainly`: something could perhaps be done, but not what
   * that one needs.
   */
  protected fallsAsleep?(first: Place<Want>, vainly: boolean): void

  /**
   * Adds a call that has just tried in vain. If it is the first, announces the loop, and serves the
   * call if that is possible by now.
   */
  enter(place: Place<Want>): void {
    this.#arrive(place)
    // Serves no call but this one, since this call may be stopped in the middle.
    if (this.first === place && !this.#announce()) {
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.#serve(true)
    }
    this.tellCount()
  }

  /** Adds a call that has not tried, and serves it if it is the first. */
  enterAgain(place: Place<Want>): void {
    this.#arrive(place)
    if (this.first === place) {
      this.#asleep = false
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.serve()
    }
    this.tellCount()
  }

  /**
   * Adds a call that has not tried, to be served in a microtask, once the caller has its promise.
   */
  enterLater(place: Place<Want>): void {
    this.#arrive(place)
    // The line may have fallen asleep for other calls, which have left since.
    if (this.first === place) this.#asleep = false
    this.tellCount()
  }

  #arrive(place: Place<Want>): void {
    tidyLater(this.owner)
    join(this.owner)
    this.add(place)
  }

  /** Serves that call alone, wherever it stands. */
  serveAlone(place: Place<Want>): void {
    if (place.preempted()) {
      place.call.finish()
      return
    }
    let outcome: unknown
    try {
      outcome = this.attempt(place)
    } catch (error) {
      place.fail(error)
      return
    }
    if (outcome !== NOTHING) place.give(outcome)
  }

  // Those that take item after item stay before it if they have used up their time.
  override lookFor(place: Place<Want>): void {
    let { previous } = place
    if (!previous) return
    for (; previous; previous = previous.previous) if (!previous.repeats) return
    this.serveAlone(place)
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
        // The queue is closed, say, or an item can't be decoded. That concerns this call alone; the
        // others go on.
        first.fail(error)
        continue
      }
      if (outcome !== NOTHING) {
        first.give(outcome)
        if (repeats) {
          // User code may have waited here itself, and withdrawn the announcement.
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

  /** Announces the loop. Returns whether the line has fallen asleep. */
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

  /** See Waiting.tidy(). */
  tidy(): void {
    if (!this.first) this.emptied()
    else if (!this.#asleep) {
      if (haveHadTheirTime()) pollSoon(this.owner)
      else this.serve()
    }
    this.tellCount()
  }

  /**
   * Has the line look again although nothing has changed: the first one may need less than the one
   * before.
   */
  protected awaken(): void {
    this.#asleep = false
  }

  /**
   * Updates the statistics, which span all threads. Done late after a call was served, as most
   * often the next one waits by then.
   */
  tellCount(): void {
    const { length } = this
    if (length === this.#told) return
    this.tell(length)
    this.#told = length
  }
}
