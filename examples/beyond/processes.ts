/** The stages as processes, each of which is started again when it was killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kept } from './kept.js'
import type { Place } from './places.js'
import type { Ledger, Sums } from './stages.js'

const PROGRAM = fileURLToPath(new URL('./stage.js', import.meta.url))
const STAGES = ['read', 'crunch', 'crunch', 'total']

/** Milliseconds until a stage that has failed is started again: its server may be away. */
const PAUSE = 200
/** How often a stage may fail by itself. */
const MOST_FAILURES = 20

export interface Run {
  readonly over: Place
  /** Names its queues and its files. */
  readonly run: string
  readonly file: string
  readonly directory: string
  /** Is told of each process that has opened its queues. */
  readonly atWork?: (child: ChildProcess) => void
}

/** Resolves to what the last stage has found, once all have ended. */
export async function runProcesses(run: Run): Promise<Sums> {
  const failure = new AbortController()
  const stages = STAGES.map(async (stage) => {
    try {
      await keepRunning(stage, run, failure.signal)
    } catch (error) {
      failure.abort(error)
    }
  })
  await Promise.all(stages)
  failure.signal.throwIfAborted()
  const ledger = await new Kept<Ledger>(join(run.directory, `${run.run}.ledger`)).load()
  if (!ledger) throw new Error('The last stage has kept nothing')
  return ledger.sums
}

async function keepRunning(stage: string, { over, run, file, directory, atWork }: Run, signal: AbortSignal): Promise<void> {
  const args = [PROGRAM, stage, '--over', over, '--run', run, '--directory', directory, '--file', file]
  let failures = 0
  for (;;) {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], signal, killSignal: 'SIGKILL' })
    const end = (): void => void child.kill()
    process.once('exit', end)
    child.once('message', () => atWork?.(child))
    const [code] = (await once(child, 'exit')) as [number | null]
    process.off('exit', end)
    if (code === 0) return
    if (code !== null && ++failures > MOST_FAILURES) throw new Error(`The stage ${stage} fails again and again`)
    if (code !== null) await delay(PAUSE, undefined, { signal })
  }
}
