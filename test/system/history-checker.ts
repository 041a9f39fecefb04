/**
 * Checks linearizability: whether a queue that does one thing at a time could have given these
 * results to several threads. Is there an order of the calls that respects those that did not
 * overlap, and in which each result is right?
 *
 * The search is Wing and Gong's, with Lowe's memory of what has been tried. It takes the next call
 * of a thread, provided that no other remaining call ended before that one began, and backtracks
 * where no call fits. Each thread makes one call after another. So the state of the search consists
 * of the number of calls taken from each thread, and what the queue then holds.
 */

/** `put` waits or is refused when there is no room; `pushing` evicts the oldest items instead. */
export type Operation = 'put' | 'pushing' | 'get' | 'peek'

export interface Call {
  readonly operation: Operation
  /**
   * The item that was put or got, a number that is put only once. Undefined if the put was refused,
   * or the get found nothing.
   */
  readonly item: number | undefined
  /** The slots that a put needs. */
  readonly slots: number
  /**
   * Whether it may fail for other reasons than a full or empty queue, so that a failure proves
   * nothing.
   */
  readonly mayFail: boolean
  /** Positions in one order of all beginnings and ends. */
  readonly began: number
  readonly ended: number
}

interface Held {
  readonly item: number
  readonly slots: number
}

function slotsOf(held: readonly Held[]): number {
  return held.reduce((sum, { slots }) => sum + slots, 0)
}

/**
 * Returns the queue's content after that call; undefined if the call would have had another result.
 */
function after(held: readonly Held[], capacity: number, { operation, item, slots, mayFail }: Call): readonly Held[] | undefined {
  if (item === undefined && mayFail) return held
  switch (operation) {
    case 'put': {
      const fits = slotsOf(held) + slots <= capacity
      if (item === undefined) return fits ? undefined : held
      return fits ? [...held, { item, slots }] : undefined
    }
    case 'pushing': {
      if (item === undefined) return undefined
      let first = 0
      while (slotsOf(held.slice(first)) + slots > capacity) first++
      return [...held.slice(first), { item, slots }]
    }
    case 'get':
    case 'peek':
      if (held[0]?.item !== item) return undefined
      return operation === 'get' ? held.slice(1) : held
  }
}

/** Describes where the search ended: at calls that fit no order. */
export interface Unexplained {
  readonly held: readonly number[]
  /** For each thread, the call that could come next but does not fit. */
  readonly next: readonly (Call | undefined)[]
  readonly explained: number
}

/**
 * A point of the search: the queue's content, the threads whose next calls remain to be tried, and
 * the thread whose call led here.
 */
interface Point {
  readonly held: readonly Held[]
  readonly untried: number[]
  readonly by: number
}

/** A search that is this many calls past its last failure is unlikely to return there. */
const FAR = 100

/**
 * Takes the calls of each thread, in that thread's order, on a queue that is empty at first.
 * Returns undefined if they are linearizable.
 */
export function unexplained(threads: readonly (readonly Call[])[], capacity: number): Unexplained | undefined {
  const total = threads.reduce((sum, calls) => sum + calls.length, 0)
  const taken = threads.map(() => 0)
  /** Points from which no order continues. */
  const failed = new Set<string>()
  let failedLast = 0
  let furthest: Unexplained = { held: [], next: [], explained: -1 }

  const keyOf = (held: readonly Held[]): string => `${taken.join()};${held.map(({ item }) => item).join()}`
  const nextOf = (calls: readonly Call[], thread: number): Call | undefined => calls[taken[thread] as number]

  /**
   * Returns the threads whose call may come next: no other remaining call ended before it began.
   */
  function candidates(): number[] {
    let firstEnd = Infinity
    for (let thread = 0; thread < threads.length; thread++)
      firstEnd = Math.min(firstEnd, nextOf(threads[thread] as Call[], thread)?.ended ?? Infinity)
    const found: number[] = []
    for (let thread = 0; thread < threads.length; thread++) {
      if ((nextOf(threads[thread] as Call[], thread)?.began ?? Infinity) < firstEnd) found.push(thread)
    }
    return found
  }

  const path: Point[] = [{ held: [], untried: candidates(), by: -1 }]
  for (let point = path.at(-1); point; point = path.at(-1)) {
    const explained = path.length - 1
    if (explained === total) return undefined
    if (explained > furthest.explained) {
      const held = point.held
      furthest = { held: held.map(({ item }) => item), next: [], explained }
      if (explained > failedLast + FAR) failed.clear()
    }
    const thread = point.untried.pop()
    if (thread === undefined) {
      if (explained === furthest.explained) furthest = { ...furthest, next: threads.map(nextOf) }
      failed.add(keyOf(point.held))
      failedLast = explained
      path.pop()
      if (point.by >= 0) taken[point.by] = (taken[point.by] as number) - 1
      continue
    }
    const held = after(point.held, capacity, nextOf(threads[thread] as Call[], thread) as Call)
    if (!held) continue
    taken[thread] = (taken[thread] as number) + 1
    if (failed.size > 0 && failed.has(keyOf(held))) taken[thread] = (taken[thread] as number) - 1
    else path.push({ held, untried: candidates(), by: thread })
  }
  return furthest
}
