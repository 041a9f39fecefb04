/** The interface through which `select()` waits for an object in this thread. */
import type { NativeObject } from '../addon/native.js'
import type { Place } from './place.js'

/** Returned when there is nothing. Undefined would not do, as it may be an item. */
export const NOTHING = Symbol('nothing')
export type Nothing = typeof NOTHING

/** A queue, an event or a message as select() sees it, in this thread. */
export interface Selectable<Want> {
  readonly native: NativeObject
  /** Returns what must be remembered of the moment when the call began. */
  want(): Want
  /**
   * Returns the item, the value of a message that is set, undefined for an event that is set, or
   * NOTHING. Throws what a non-waiting get would throw.
   */
  tryNow(want: Want): unknown | Nothing
  /** Like tryNow(), but returns NOTHING if asynchronous calls of this thread came before. */
  tryInOrder(want: Want): unknown | Nothing
  /** Like tryNow(), for a place in the line; returns NOTHING if others there come before it. */
  tryFor(place: Place<Want>): unknown | Nothing
  /** Adds it to the line, and serves it if that is possible already. */
  enter(place: Place<Want>): void
}
