/** The result of a run of the suite: one JSON document, which the report and `--compare` read. */
import { readFileSync } from 'node:fs'

export type Topology =
  | 'one thread'
  | '1 to 1'
  | '4 to 1'
  | '1 to 4'
  | '4 to 4'
  | 'ping-pong'
  | 'wake'
  | 'objects'
  | 'blocks'
  | 'shared'
  | 'signal'
  | 'native'
  | 'many queues'
  | 'blocked'
  | 'jobs'
  | 'memory'
  | 'creation'

export interface Percentiles {
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
}

export interface ContenderResult {
  id: string
  name: string
  version?: string
  /** The runtime that it was measured on, if not the Node that ran the suite. */
  runtime?: string
  /** How it was set up, where that matters to a reader. */
  note?: string
  /** The reason why it has no figures in this case. */
  unavailable?: string
  /** One figure for each round. */
  samples: number[]
  percentiles?: Percentiles
  /** Pairs of a percentile, 0 to 100, and the value there. */
  curve?: [percentile: number, value: number][]
  /** Pairs of a bound and the count up to it. Each bound is twice the one before. */
  histogram?: [upTo: number, count: number][]
}

export interface GoalResult {
  text: string
  /** The contender that ours is compared with; null if the figure itself has the limit. */
  against: string | null
  atMost: number
  /** Null when one of the two could not be measured. */
  measured: number | null
  met: boolean
}

export interface CaseResult {
  id: string
  title: string
  topology: Topology
  kind: 'rate' | 'latency' | 'size'
  /** Lower is better in all of them. */
  unit: string
  parameter?: { name: 'capacity' | 'bytes' | 'threads' | 'queues'; value: number }
  /** Cases of one series differ in the parameter only. */
  series?: string
  contenders: ContenderResult[]
  goals: GoalResult[]
}

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  os: string
  kernel: string
  node: string
  v8: string
  commit: string
}

export interface Result {
  version: 1
  machine: Machine
  command: string
  rounds: number
  quick: boolean
  cases: CaseResult[]
}

/** Reads a result. Throws an error that names the file if it holds none. */
export function read(file: string): Result {
  const result = parsed(file) as Partial<Result> | null
  if (result?.version !== 1 || !Array.isArray(result.cases)) throw new Error(`${file} is not a result of the benchmark suite, version 1`)
  return result as Result
}

function parsed(file: string): unknown {
  const text = readFileSync(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${file} is not JSON`)
  }
}
