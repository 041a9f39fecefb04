/** The end of an iteration, which the asynchronous iterators have in common. */

/** Cancels a pending `next()` that has taken nothing: it resolves as done. */
export const RETURNED = Symbol('returned')

/** How long a `next()` waits. */
export const FOR_EVER = { signal: undefined, timeout: Infinity }

export function done<Value>(value: Value): IteratorReturnResult<Value> {
  return { value, done: true }
}
