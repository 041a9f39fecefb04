/** What the cases share: contenders that are measured in turn, so that a slow moment of the machine meets them all, and their medians. */
import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'

export interface Contender {
  readonly name: string
  /** Does the work once and answers the nanoseconds that one item took. */
  run(items: number): number | Promise<number>
}

export interface Case {
  readonly name: string
  /** What one figure means. */
  readonly unit: string
  /** How many items a run has, so that it takes some tenths of a second. */
  readonly items: number
  /** Ours first; the others' ratios are to it. */
  readonly contenders: readonly Contender[]
}

export interface Figures {
  readonly name: string
  readonly nanoseconds: readonly number[]
}

const WARM_UPS = 1

/** Runs every contender in turn, `rounds` times, after a warm-up. */
export async function measure({ contenders, items }: Case, rounds: number): Promise<Figures[]> {
  const figures = contenders.map(({ name }) => ({ name, nanoseconds: [] as number[] }))
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (const [k, contender] of contenders.entries()) {
      const nanoseconds = await contender.run(items)
      if (round >= 0) figures[k]?.nanoseconds.push(nanoseconds)
    }
  }
  return figures
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

function short(nanoseconds: number): string {
  return nanoseconds < 100 ? nanoseconds.toFixed(1) : nanoseconds.toFixed(0)
}

/** A table: median, spread, and how many times as long as ours. */
export function table(figures: readonly Figures[]): string {
  const ours = median(figures[0]?.nanoseconds ?? [])
  const rows = figures.map(({ name, nanoseconds }) => {
    const middle = median(nanoseconds)
    const spread = `${short(Math.min(...nanoseconds))} - ${short(Math.max(...nanoseconds))}`
    return `  ${name.padEnd(44)} ${short(middle).padStart(8)} ${spread.padStart(19)} ${`${(middle / ours).toFixed(2)} x`.padStart(10)}`
  })
  return rows.join('\n')
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

/** What the figures were measured on. */
export function machine(): string {
  const [cpu] = cpus()
  return `${cpu?.model ?? 'unknown processor'}, ${cpus().length} cores, ${process.platform} ${release()}, Node ${process.version}, commit ${commit()}`
}
