/** The asynchronous calls of this thread that wait for a lock. */
import { type NativeLock, native } from '../addon/native.js'
import { ServedLine } from '../wait/line.js'
import { haveHadTheirTime, mayServeAtOnce, pollSoon, setDeadline, tidyLater, type Waiting } from '../wait/loop.js'
import type { Place } from '../wait/place.js'
import { NOTHING } from '../wait/selectable.js'
import type { Grant } from './lock-channel.js'

const { lock: LOCK, status: STATUS } = native

/** A waiter may reserve the lock once it has waited this long, by a clock of whole milliseconds. */
const PATIENCE_MILLISECONDS = 3
/** The time after which a waiter looks again by itself. */
const BRIEF_MILLISECONDS = 2

/** The acquisition that a waiting call will get, and since when it waits. */
export interface Acquisition {
  readonly grant: Grant
  readonly since: number
}

/** The lock, as its line sees it. */
type Owner = Waiting & { readonly native: NativeLock; tryFor(grant: Grant, since: number): void }

export class AcquireLine extends ServedLine<Acquisition> {
  readonly #lock: Owner
  /** Whether the first waiter looks again by itself, as nobody may wake it in time. */
  #brief = true
  #willLook = false

  constructor(lock: Owner) {
    super(lock)
    this.#lock = lock
  }

  protected override announce(): boolean {
    const { since } = (this.first as Place<Acquisition>).want
    this.#brief = isYoung(since)
    return LOCK.announce(this.#lock.native, since)
  }

  protected override attempt(place: Place<Acquisition>): unknown {
    const { grant, since } = place.want
    // A call that was stopped after it was granted the lock has it already.
    if (!grant.granted) {
      const young = isYoung(since)
      this.#lock.tryFor(grant, since)
      this.#brief = young || grant.token === -STATUS.busy
      if (!grant.granted) return NOTHING
    }
    return place.outcome(grant)
  }

  // It sleeps briefly until it may reserve the lock, and while the lock is free and reserved for
  // another: see native/core/lock.h.
  protected override fallsAsleep(): void {
    if (!this.#brief || this.#willLook) return
    const expire = (): void => {
      this.#willLook = false
      if (this.first) this.serve()
    }
    setDeadline({ expire, repair: () => undefined }, BRIEF_MILLISECONDS)
    this.#willLook = true
  }

  // Waiting calls of a lock are not counted.
  protected override tell(): void {}

  protected override withdraw(): void {
    LOCK.withdraw(this.#lock.native)
  }

  /**
   * Called when this thread has released the lock: its own calls need not wait for a ring. A
   * microtask serves them, since whoever releases may be stopped, or have hardly any stack left.
   */
  released(): void {
    if (!this.first) return
    if (haveHadTheirTime() || !mayServeAtOnce()) {
      pollSoon(this.#lock)
      return
    }
    tidyLater(this.#lock)
    this.awaken()
  }
}

function isYoung(since: number): boolean {
  return native.now() - since < PATIENCE_MILLISECONDS
}
