/** Shared by the parts of the soak: time, counts, latencies, and the report of a violation. */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import { Latencies } from '../../bench/harness/histogram.js'
import { random } from '../support.js'

/** Milliseconds after which something counts as stuck. The machine may be busy with other work. */
export const PATIENCE = 120_000

/** One kind of load. */
export interface Part {
  readonly name: string
  /** Resolves when `soak.running` is false, all is at rest, and the sums are right. */
  run(soak: Soak): Promise<void>
}

export class Soak {
  running = true
  readonly counts = new Map<string, number>()
  readonly latencies = new Map<string, Latencies>()
  readonly chance: () => number

  constructor(readonly seed: number) {
    this.chance = random(seed)
  }

  below(limit: number): number {
    return Math.floor(this.chance() * limit)
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by)
  }

  latency(name: string, nanoseconds: number): void {
    let latencies = this.latencies.get(name)
    if (!latencies) this.latencies.set(name, (latencies = new Latencies()))
    latencies.record([nanoseconds])
  }

  /** Throws if the invariant does not hold, which ends the soak. */
  check(holds: boolean, invariant: string, context: unknown): void {
    if (!holds) throw new Error(`${invariant} does not hold: ${inspect(context, { depth: 4, breakLength: Infinity })}`)
  }
}

/** Prints at once what went wrong, as loops may be stuck, and ends the process. */
export function violation(soak: Soak, where: string, error: unknown): never {
  const context = { seed: soak.seed, counts: Object.fromEntries(soak.counts) }
  writeSync(2, `VIOLATION in ${where}, at ${new Date().toISOString()}: ${inspect(error, { depth: 4 })}\n${inspect(context)}\n`)
  process.exit(1)
}

/** Nanoseconds of the clock that all threads and signal handlers share. */
export const clock = (): number => Number(process.hrtime.bigint())

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
