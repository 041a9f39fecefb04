/** What `select()` waits for, as the objects in this thread offer it. */
import type { NativeObject } from '../addon/native.js'
import type { Place } from './place.js'

/** What is returned when there is nothing. Not undefined, which may be an item. */
export const NOTHING = Symbol('nothing')
export type Nothing = typeof NOTHING

/** A queue, an event or a message as select() sees it, in this thread. */
export interface Selectable<Want> {
  readonly native: NativeObject
  /** What is to be remembered of the moment when the call began. */
  want(): Want
  /**
   * The item, the value of a message, undefined for an event, NOTHING if there is none. Throws what a get would throw that
   * does not wait.
   */
  tryNow(want: Want): unknown | Nothing
  /** The same, and NOTHING as well where asynchronous calls of this thread were there before. */
  tryInOrder(want: Want): unknown | Nothing
  /** The same for one that waits in the line; NOTHING as well where others there are before it. */
  tryFor(place: Place<Want>): unknown | Nothing
  /** Puts it into the line, and serves it if that can be done already. */
  enter(place: Place<Want>): void
}
