/** Several items on their way into a queue. */
import { invalidType } from '../errors.js'
import { type Patience, patience, type WaitOptions } from '../wait/options.js'

/** A batch of `length` items, of which `done` are in. */
export interface Batch<Items> {
  readonly items: Items
  readonly length: number
  done: number
}

export function batchOf<Items extends { readonly length: number }>(items: Items, length = items.length): Batch<Items> {
  return { items, length, done: 0 }
}

export function checkIterable(items: unknown): Iterable<unknown> {
  if (typeof (items as Iterable<unknown> | null | undefined)?.[Symbol.iterator] !== 'function')
    throw invalidType('items', 'an iterable', items)
  return items as Iterable<unknown>
}

/**
 * Adds to an error of a batch how many items are in. The reason of an abort is the user's own
 * object, which may refuse the property. If several calls are aborted with it, it has the count of
 * the last.
 */
export function withCount(reason: unknown, { done }: Pick<Batch<unknown>, 'done'>): unknown {
  if (typeof reason !== 'object' || reason === null) return reason
  try {
    Reflect.defineProperty(reason, 'count', { value: done, configurable: true, writable: true, enumerable: true })
  } catch {
    // A proxy may refuse it like this.
  }
  return reason
}

/** Returns the patience of a call that puts a batch: its errors have the count too. */
export function patienceOfBatch(options: WaitOptions | undefined): Patience {
  try {
    return patience(options)
  } catch (error) {
    throw withCount(error, { done: 0 })
  }
}
