/**
 * Whether what several threads were told by one queue is what a queue that does one thing at a time
 * could have told them (linearizability): is there an order of the calls that keeps those apart
 * that did not overlap, and in which each result is right?
 *
 * The search is that of Wing and Gong, with Lowe's memory of what has been tried: it takes the next
 * call of one of the threads that may come first - no call that has not been taken ended before it
 * began - and goes back where none fits. As each thread makes one call after the other, where the
 * search is is how many calls of each thread it has taken, and what the queue then holds.
 */

/** `put` waits or is refused when there is no room; `pushing` pushes out the oldest instead. */
export type Operation = 'put' | 'pushing' | 'get' | 'peek'

export interface Call {
  readonly operation: Operation
  /**
   * What was put, or came out: a number that is put only once. Undefined: it was refused, or there
   * was nothing.
   */
  readonly item: number | undefined
  /** The slots that a put needs. */
  readonly slots: number
  /** Its failure says nothing, as it may have another reason than a full or empty queue. */
  readonly mayFail: boolean
  /** Points in one order of all beginnings and ends. */
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

/** What the queue holds after that call; undefined where it would have had another result. */
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

/** As far as the search came: what no order of the calls explains. */
export interface Unexplained {
  readonly held: readonly number[]
  /** Of each thread, the calls that could come next and do not fit. */
  readonly next: readonly (Call | undefined)[]
  readonly explained: number
}

/**
 * A point of the search: what the queue holds there, which threads' next calls are still to be
 * tried, and whose call led here.
 */
interface Point {
  readonly held: readonly Held[]
  readonly untried: number[]
  readonly by: number
}

/** So many calls behind where a search failed last, it will hardly come back there. */
const FAR = 100

/**
 * The calls of each thread, in its order, of a queue that is empty at first. Undefined if they are
 * linearizable.
 */
export function unexplained(threads: readonly (readonly Call[])[], capacity: number): Unexplained | undefined {
  const total = threads.reduce((sum, calls) => sum + calls.length, 0)
  const taken = threads.map(() => 0)
  /** Points from which there is no way on. */
  const failed = new Set<string>()
  let failedLast = 0
  let furthest: Unexplained = { held: [], next: [], explained: -1 }

  const keyOf = (held: readonly Held[]): string => `${taken.join()};${held.map(({ item }) => item).join()}`
  const nextOf = (calls: readonly Call[], thread: number): Call | undefined => calls[taken[thread] as number]

  /** Those that may come next: which no other that is to come ended before. */
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
