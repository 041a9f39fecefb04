/**
 * Measures a case. Each contender has its own process, and each round runs every contender once, so
 * that a slow moment of the machine affects all of them.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Case, type Contender, type Goal, OURS, type Sample } from './case.js'
import { Latencies } from './histogram.js'
import { buildNative } from './native.js'
import { versionOf } from './paths.js'
import { type Answer, MARK, type Request } from './protocol.js'
import type { CaseResult, ContenderResult, GoalResult } from '../report/result.js'
import type { Runtime } from './runtimes.js'
import { median, pairedRatio } from './statistics.js'

export interface Settings {
  readonly rounds: number
  /** The time that one contender's round should take, roughly. */
  readonly roundMilliseconds: number
  /** Where a case fixes the number of items, it is divided by this. */
  readonly fewer: number
  readonly runtimes: readonly Runtime[]
}

/** Milliseconds after which a contender that has not answered counts as hanging. */
const DEADLINE = 30_000

class Process {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<Answer>
  #complaints = ''

  constructor(command: readonly string[], caseId: string, contenderId: string) {
    const file = fileURLToPath(new URL('./child.js', import.meta.url))
    const [program, ...options] = command as [string, ...string[]]
    this.#child = spawn(program, [...options, file, caseId, contenderId])
    this.#child.stderr.on('data', (text: Buffer) => (this.#complaints = (this.#complaints + text.toString()).slice(-2000)))
    this.#child.stdin.on('error', () => undefined)
    this.#answers = this.#read()
  }

  send(request: Request): void {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
  }

  /** Resolves to the next answer; rejects with the reason why there is none. */
  async answer(): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`did not finish within ${DEADLINE / 1000} s`)), DEADLINE)
    })
    try {
      const { value, done } = await Promise.race([this.#answers.next(), deadline])
      if (done) throw new Error(this.#lastWords())
      const answer = value as Answer
      if (answer.is === 'unavailable' || answer.is === 'failed') throw new Error(answer.why)
      return answer
    } finally {
      clearTimeout(timer)
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async *#read(): AsyncGenerator<Answer, undefined> {
    let failed: Error | undefined
    this.#child.on('error', (error) => (failed = error))
    for await (const line of createInterface({ input: this.#child.stdout })) {
      if (line.startsWith(MARK)) yield JSON.parse(line.slice(MARK.length)) as Answer
    }
    if (failed) throw failed
  }

  #lastWords(): string {
    const lines = this.#complaints.split('\n').filter((line) => line.trim())
    return (
      lines.find((line) => /error/i.test(line))?.trim() ??
      `its process ended (${this.#child.signalCode ?? `exit code ${this.#child.exitCode}`})`
    )
  }
}

/** A contender as it is measured: here, or on another runtime. */
class Entry {
  readonly contender: Contender
  readonly samples: number[] = []
  readonly #measured: Case
  readonly #settings: Settings
  readonly #runtime: Runtime | undefined
  readonly #latencies: Latencies | undefined
  #process: Process | undefined
  #why: string | undefined

  constructor(measured: Case, contender: Contender, settings: Settings, runtime?: Runtime) {
    this.#measured = measured
    this.contender = contender
    this.#settings = settings
    this.#runtime = runtime
    this.#latencies = measured.kind === 'latency' ? new Latencies() : undefined
    this.#why = contender.cannot
  }

  get running(): boolean {
    return this.#why === undefined
  }

  async open(): Promise<void> {
    await this.#attempt(async () => {
      if (this.contender.native) {
        const why = await nativeBuild()
        if (why !== undefined) throw new Error(why)
      }
      if (this.#measured.fresh) return
      this.#process = await this.#start()
      this.#process.send({ do: 'warm up', milliseconds: this.#settings.roundMilliseconds })
      await this.#process.answer()
    })
  }

  async round(): Promise<void> {
    await this.#attempt(async () => {
      if (this.#measured.fresh) this.#process = await this.#start()
      const { items, kind } = this.#measured
      const fewer = kind === 'size' ? 1 : this.#settings.fewer
      this.#process?.send({ do: 'round', items: items === undefined ? undefined : Math.ceil(items / fewer) })
      const answer = await this.#process?.answer()
      if (answer?.is !== 'sample') throw new Error(`answered ${JSON.stringify(answer)}`)
      this.#record(answer.sample)
      if (this.#measured.fresh) this.close()
    })
  }

  close(): void {
    this.#process?.kill()
    this.#process = undefined
  }

  result(): ContenderResult {
    const { id, name, note, package: packageName } = this.contender
    return {
      id: this.#runtime ? `${id}@${this.#runtime.id}` : id,
      name: this.#runtime ? `${this.#runtime.name}: ${name}` : name,
      ...(packageName && { version: versionOf(packageName) }),
      ...(this.#runtime && { runtime: this.#runtime.name }),
      ...(note && { note }),
      ...(this.#why !== undefined && { unavailable: this.#why }),
      samples: this.samples,
      ...(this.#latencies &&
        this.running && {
          percentiles: this.#latencies.percentiles(),
          curve: this.#latencies.curve(),
          histogram: this.#latencies.histogram(),
        }),
    }
  }

  async #start(): Promise<Process> {
    const started = new Process(this.#runtime?.command ?? [process.execPath], this.#measured.id, this.contender.id)
    this.#process = started
    await started.answer()
    return started
  }

  #record(sample: Sample): void {
    const latencies = typeof sample === 'number' ? [sample] : sample
    if (!latencies.length || latencies.some((value) => typeof value !== 'number' || !Number.isFinite(value))) {
      throw new Error('measured something that is no number')
    }
    if (this.#latencies) {
      this.#latencies.record(latencies)
      this.samples.push(median(latencies) / 1000)
    } else {
      this.samples.push(median(latencies))
    }
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (!this.running) return
    try {
      await action()
    } catch (error) {
      this.#why = error instanceof Error ? error.message : String(error)
      this.samples.length = 0
      this.close()
    }
  }
}

let building: Promise<string | undefined> | undefined

function nativeBuild(): Promise<string | undefined> {
  return (building ??= buildNative())
}

/** Judges a goal by the contenders' figures. */
export function judge({ text, of = OURS, against, percentile, atMost }: Goal, contenders: readonly ContenderResult[]): GoalResult {
  const figures = (id: string): readonly number[] => {
    const contender = contenders.find((one) => one.id === id)
    // Uses the figure over all rounds, as one round has too few latencies for a percentile.
    return percentile ? [contender?.percentiles?.[percentile] ?? NaN] : (contender?.samples ?? [])
  }
  const measured = against === null ? median(figures(of)) : pairedRatio(figures(of), figures(against))
  if (!Number.isFinite(measured)) return { text, against, atMost, measured: null, met: false }
  return { text, against, atMost, measured, met: measured <= atMost }
}

export async function measure(measured: Case, settings: Settings): Promise<CaseResult> {
  const entries = measured.contenders.flatMap((contender) => {
    const elsewhere = measured.everywhere && contender.everywhere ? settings.runtimes : []
    return [new Entry(measured, contender, settings), ...elsewhere.map((runtime) => new Entry(measured, contender, settings, runtime))]
  })
  try {
    for (const entry of entries) await entry.open()
    for (let round = 0; round < settings.rounds; round++) {
      // Starts with another contender each time, so that none always runs after the same one.
      for (let k = 0; k < entries.length; k++) await (entries[(round + k) % entries.length] as Entry).round()
    }
  } finally {
    for (const entry of entries) entry.close()
  }
  const { id, title, topology, kind, unit, parameter, series } = measured
  const contenders = entries.map((entry) => entry.result())
  const goals = (measured.goals ?? []).map((goal) => judge(goal, contenders))
  return { id, title, topology, kind, unit, ...(parameter && { parameter }), ...(series && { series }), contenders, goals }
}
