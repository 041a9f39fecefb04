/**
 * Coverage-guided fuzzing of a function. Inputs that reach a branch for the first time, or more
 * often than any before, are kept and mutated to make others.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { mutated, Random } from './mutator.js'

/** The name of the global array of branch counters. */
export const COUNTERS = '__fuzzCounters'
export const MOST_COUNTERS = 8192

export type Target = (bytes: Uint8Array) => void

export interface Engine {
  readonly target: Target
  readonly counters: Uint8Array
  /**
   * The file to which each input is written before it runs, for whoever finds that the process has
   * ended.
   */
  readonly current: string
  readonly mostBytes: number
}

/** Maps the number of times that a branch was taken to a step. */
const BUCKETS = Uint8Array.from({ length: 256 }, (_, k) =>
  k === 0 ? 0 : k < 4 ? 1 << (k - 1) : k < 8 ? 8 : k < 16 ? 16 : k < 32 ? 32 : k < 128 ? 64 : 128,
)

export class Fuzzer {
  readonly corpus: Uint8Array[] = []
  readonly #engine: Engine
  readonly #random: Random
  /** The steps that were seen for each branch. */
  readonly #seen = new Uint8Array(MOST_COUNTERS)
  readonly #file: number
  runs = 0

  constructor(engine: Engine, seed: number) {
    this.#engine = engine
    this.#random = new Random(seed)
    this.#file = openSync(engine.current, 'w')
  }

  get branches(): number {
    return this.#seen.reduce((sum, steps) => sum + (steps === 0 ? 0 : 1), 0)
  }

  /** Runs the input, and keeps it if it has shown something new. */
  try(input: Uint8Array): void {
    if (this.#run(input)) this.corpus.push(input)
  }

  /** Runs another input, made from those that were kept. */
  tryAnother(): void {
    const one = this.corpus.length === 0 ? new Uint8Array(0) : this.#random.of(this.corpus)
    const other = this.corpus.length === 0 ? one : this.#random.of(this.corpus)
    this.try(mutated(one, other, this.#engine.mostBytes, this.#random))
  }

  close(): void {
    closeSync(this.#file)
  }

  #run(input: Uint8Array): boolean {
    const { target, counters } = this.#engine
    writeSync(this.#file, input, 0, input.length, 0)
    ftruncateSync(this.#file, input.length)
    counters.fill(0)
    this.runs++
    target(input)
    let isNew = false
    for (let k = 0; k < counters.length; k++) {
      const count = counters[k] as number
      if (count === 0) continue
      const step = BUCKETS[count] as number
      if (((this.#seen[k] as number) & step) !== 0) continue
      this.#seen[k] = (this.#seen[k] as number) | step
      isNew = true
    }
    return isNew
  }
}

/** Returns the smallest of the inputs that together take every branch that all of them take. */
export function minimized(inputs: readonly Uint8Array[], { target, counters }: Engine): Uint8Array[] {
  const taken = new Set<number>()
  const bySize = [...inputs].sort((a, b) => a.length - b.length)
  return bySize.filter((input) => {
    counters.fill(0)
    target(input)
    const before = taken.size
    counters.forEach((count, k) => count > 0 && taken.add(k))
    return taken.size > before
  })
}
