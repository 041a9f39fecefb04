/** A call's place in a line. A call has several where it waits for several things (select.ts). */
import type { Call } from './call.js'
import type { Line } from './line.js'
import { type Liveness, tidyLater } from './loop.js'

/** A place in a line, whatever it is for. */
export interface Standing {
  readonly sibling: Standing | undefined
  /** Serves the line, so that the call is served if that is possible. */
  look(): void
  leave(): void
}

/** A call's place in a line. */
export class Place<Want> implements Standing {
  readonly call: Call
  /** What the call is for. */
  readonly want: Want
  readonly liveness: Liveness
  readonly sibling: Standing | undefined
  line: Line<Want> | undefined
  next: Place<Want> | undefined
  previous: Place<Want> | undefined

  constructor(call: Call, want: Want, liveness: Liveness) {
    this.call = call
    this.want = want
    this.liveness = liveness
    this.sibling = call.places
    call.places = this
  }

  /**
   * Whether it takes item after item, and runs user code for each. Then every item counts against
   * the loop's share of time, and a look at the line from before that code is out of date.
   */
  get repeats(): boolean {
    return false
  }

  /** Returns what the call resolves to when `taken` was taken for it. */
  outcome(taken: unknown): unknown {
    return taken
  }

  /** Hands over that outcome. */
  give(outcome: unknown): void {
    this.call.resolve(outcome)
  }

  /**
   * Asked before anything is taken for the call here. Returns true if the call got its outcome
   * elsewhere.
   */
  preempted(): boolean {
    return false
  }

  /** Called when what it is in line for can't be had. */
  fail(error: unknown): void {
    this.call.fail(error)
  }

  look(): void {
    this.line?.owner.poll()
    this.line?.lookFor?.(this)
  }

  leave(): void {
    const { line } = this
    if (!line) return
    tidyLater(line.owner)
    line.remove(this)
  }
}
