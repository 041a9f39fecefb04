/**
 * The books of one queue, in shared memory: what each producer has put, and which of it has been
 * got. A number that comes twice is found at once. One that never comes is found when its place in
 * the window is needed again, or at the end.
 */
export const PRODUCERS = 4

/** The number of items that are remembered for each producer, unless a test wants fewer. */
const WINDOW = 1 << 17

/** Milliseconds that a consumer may spend between taking an item and noting it. */
const PATIENCE = 60_000

export interface Ledger {
  /** The next number of each producer. */
  readonly next: Int32Array
  /** For each producer and place in the window: the number of items that were got there. */
  readonly seen: Int32Array
  /** [0] all items that were got, [1] items that are missing. */
  readonly sums: Int32Array
  readonly window: number
  /** Whether an item may be missing, because threads are killed with it in hand. */
  readonly mayLose: boolean
}

export function newLedger(mayLose: boolean, window = WINDOW): Ledger {
  const words = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length))
  return { next: words(PRODUCERS), seen: words(PRODUCERS * window), sums: words(2), window, mayLose }
}

/** Draws a number that no other item of the queue has. */
export function draw({ next }: Ledger, producer: number): number {
  return Atomics.add(next, producer, 1) * PRODUCERS + producer
}

/** Returns how many numbers were drawn. */
export function drawn({ next }: Ledger): number {
  return next.reduce((sum, _, producer) => sum + Atomics.load(next, producer), 0)
}

export function got({ sums }: Ledger): number {
  return Atomics.load(sums, 0)
}

/**
 * Makes a function with which one consumer notes what it got. It throws for an item that comes
 * twice or out of order.
 */
export function notes(ledger: Ledger, patience = PATIENCE): (number: number) => void {
  const { window } = ledger
  const last = new Array<number>(PRODUCERS).fill(-1)
  return (number) => {
    const producer = number % PRODUCERS
    const index = (number - producer) / PRODUCERS
    if (index <= (last[producer] as number)) throw new Error(`item ${index} of producer ${producer} came after ${last[producer]}`)
    last[producer] = index
    const place = producer * window + (index % window)
    const lap = Math.floor(index / window)
    if (!ledger.mayLose && Atomics.load(ledger.seen, place) < lap) awaitLap(ledger, place, lap, index, patience)
    const before = Atomics.exchange(ledger.seen, place, lap + 1)
    if (before > lap) throw new Error(`item ${index} of producer ${producer} came twice`)
    if (before < lap) Atomics.add(ledger.sums, 1, lap - before)
    Atomics.add(ledger.sums, 0, 1)
  }
}

/** Waits for the thread that has taken the item of one window ago but has not noted it yet. */
function awaitLap({ seen, window }: Ledger, place: number, lap: number, index: number, patience: number): void {
  const end = performance.now() + patience
  for (let value = Atomics.load(seen, place); value < lap; value = Atomics.load(seen, place)) {
    if (performance.now() > end) throw new Error(`item ${index - window} was never got, and item ${index} was`)
    Atomics.wait(seen, place, value, 10)
  }
}

/** Returns the number of missing items, the last window included. Call it when all is at rest. */
export function missing({ next, seen, sums, window }: Ledger): number {
  let count = sums[1] as number
  for (let producer = 0; producer < PRODUCERS; producer++) {
    const end = next[producer] as number
    for (let index = Math.max(0, end - window); index < end; index++) {
      const laps = Math.floor(index / window) + 1
      count += laps - (seen[producer * window + (index % window)] as number)
    }
  }
  return count
}
