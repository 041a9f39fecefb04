/**
 * The process of one contender in one case. Each has its own, so that none meets the object shapes
 * and the heap of another, and one that hangs can be killed. Its arguments name the case and the
 * contender.
 */
import { createInterface } from 'node:readline'
import { writeSync } from 'node:fs'
import { cases } from '../suite.js'
import { type Runner, Unavailable } from './case.js'
import { now } from './clock.js'
import { type Answer, MARK, type Request } from './protocol.js'

const FIRST_ITEMS = 1000
/** The most and the least by which the number of items grows from one warm-up try to the next. */
const MOST_GROWTH = 8
const LEAST_GROWTH = 1.5
const MILLISECOND = 1e6
/**
 * Items of the warm-up of a latency. A round has few latencies, and rarely run code is compiled
 * late, so without a warm-up the interpreter would be measured.
 */
const LATENCY_WARM_UP = 1500

function answer(it: Answer): void {
  writeSync(1, `${MARK}${JSON.stringify(it)}\n`)
}

/**
 * Grows the number of items until they take the time wanted, which warms up the code too. The
 * faster of two tries counts, as threads that start late look like slow items.
 */
async function calibrate(runner: Runner, milliseconds: number): Promise<number> {
  for (let items = FIRST_ITEMS; ;) {
    const took = Math.min(await timed(runner, items), await timed(runner, items))
    if (took >= milliseconds / 2) return Math.max(1, Math.round((items * milliseconds) / took))
    items = Math.ceil(items * Math.max(LEAST_GROWTH, Math.min(MOST_GROWTH, milliseconds / took)))
  }
}

async function timed(runner: Runner, items: number): Promise<number> {
  const start = now()
  await runner(items)
  return (now() - start) / MILLISECOND
}

async function serve(caseId: string, contenderId: string): Promise<void> {
  const measured = cases.find(({ id }) => id === caseId)
  const contender = measured?.contenders.find(({ id }) => id === contenderId)
  if (!measured || !contender?.open) throw new Error(`No contender ${contenderId} in ${caseId}`)
  const runner = await contender.open()
  let items = measured.items
  answer({ is: 'open' })
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request
    if (request.do === 'warm up') {
      if (measured.items === undefined) items = await calibrate(runner, request.milliseconds)
      const start = now()
      do await runner(items as number)
      while (measured.kind === 'latency' && (now() - start) / MILLISECOND < LATENCY_WARM_UP)
      answer({ is: 'warm' })
    } else {
      answer({ is: 'sample', sample: await runner(request.items ?? (items as number)) })
    }
  }
  // Exits outright, as the contender's threads would outlive the parent.
  process.exit()
}

function giveUp(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  answer({ is: error instanceof Unavailable ? 'unavailable' : 'failed', why: why.split('\n')[0] as string })
  process.exit(1)
}

process.on('uncaughtException', giveUp)
process.on('unhandledRejection', giveUp)
serve(process.argv[2] as string, process.argv[3] as string).catch(giveUp)
