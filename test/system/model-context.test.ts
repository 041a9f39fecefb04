/**
 * Compares Context with a list of jobs, by random calls. Jobs return, throw, end their worker or
 * are aborted, and the context is closed or terminated at some point.
 */
import { strict as assert } from 'node:assert'
import { Context } from '../../lib/index.js'
import fc from '../properties.js'
import { within } from '../support.js'
import { ABORTED, failedWith, failure, parameters, type Result, RUNS, value } from './model-calls.js'

/** The share of runs, as a context costs a worker, and another for each job that ends one. */
const RUN_SHARE = 1 / 15
const MOST_JOBS = 25
const PATIENCE = 30_000
const CLOSED = failure('ERR_CONTEXT_CLOSED')

/** Each job notes its number when it begins. */
const JOBS = `data:text/javascript,${encodeURIComponent(`
import { workerData as log } from 'node:worker_threads'
function begin(number) {
  log[Atomics.add(log, 0, 1) + 1] = number
  return number
}
export const returns = begin
export const waitsAtGate = (number) => {
  begin(number)
  Atomics.wait(log, log.length - 1, 0)
  return number
}
export const later = async (number) => {
  begin(number)
  await new Promise((resolve) => setTimeout(resolve, 1))
  return number
}
export const fails = (number) => {
  begin(number)
  throw Object.assign(new Error('own'), { code: 'OWN' })
}
export const crashes = (number) => {
  begin(number)
  process.exit(5)
}`)}`

type Jobs = Record<'returns' | 'later' | 'fails' | 'crashes' | 'waitsAtGate', (number: number) => number>
type Call =
  | { readonly does: keyof Jobs | 'abort behind a gate' }
  | { readonly does: 'abort'; readonly pick: number; readonly iterations: number }
  | { readonly does: 'close' | 'terminate' }
  | { readonly does: 'pause'; readonly milliseconds: number }

const CALL: fc.Arbitrary<Call> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Call>({ does: 'returns' }, { does: 'later' }, { does: 'fails' }) },
  { weight: 1, arbitrary: fc.constant<Call>({ does: 'crashes' }) },
  { weight: 2, arbitrary: fc.constant<Call>({ does: 'abort behind a gate' }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('abort' as const), pick: fc.nat(), iterations: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('pause' as const), milliseconds: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.constantFrom<Call>({ does: 'close' }, { does: 'terminate' }) },
)

interface Job {
  readonly does: keyof Jobs
  readonly controller: AbortController
  readonly result: Promise<Result>
  /** Whether it was assigned after the context was closed. */
  readonly late: boolean
  settled: boolean
  /** Whether it was aborted before it could begin. */
  dropped: boolean
  /** The results that it may have. */
  expected: Result[]
}

function expectedOf(does: keyof Jobs, number: number): Result {
  if (does === 'fails') return failure('OWN')
  return does === 'crashes' ? failure('ERR_CONTEXT_CRASHED') : value(number)
}

async function run(qsize: number, calls: readonly Call[]): Promise<void> {
  const log = new Int32Array(new SharedArrayBuffer(4 * (2 * MOST_JOBS + 2)))
  const context = new Context<Jobs>(JOBS, { qsize, workerData: log })
  const jobs: Job[] = []
  const ends: Promise<void>[] = []
  let isTerminated = false
  const assign = (does: keyof Jobs): Job => {
    const controller = new AbortController()
    const { signal } = controller
    const late = ends.length > 0
    const result = context.run(does, [jobs.length], { signal }).then(value, (error: unknown) => {
      return error === signal.reason ? ABORTED : failedWith(error)
    })
    const expected = late ? CLOSED : expectedOf(does, jobs.length)
    const job: Job = { does, controller, result, late, settled: false, dropped: false, expected: [expected] }
    void result.then(() => (job.settled = true))
    jobs.push(job)
    return job
  }
  for (const call of calls) {
    switch (call.does) {
      case 'abort': {
        for (let k = 0; k < call.iterations; k++) await new Promise(setImmediate)
        const job = jobs[call.pick % Math.max(jobs.length, 1)]
        if (!job || job.settled) break
        // A job that is done already has its result.
        job.expected.push(ABORTED)
        job.controller.abort()
        break
      }
      case 'pause':
        await new Promise((resolve) => setTimeout(resolve, call.milliseconds))
        break
      case 'close':
        ends.push(context.close())
        break
      case 'terminate':
        isTerminated = true
        for (const job of jobs) if (!job.settled) job.expected.push(CLOSED)
        ends.push(context.terminate())
        break
      case 'abort behind a gate': {
        Atomics.store(log, log.length - 1, 0)
        assign('waitsAtGate')
        const job = assign('returns')
        if (!job.late) job.expected = [ABORTED]
        job.dropped = true
        job.controller.abort()
        Atomics.store(log, log.length - 1, 1)
        Atomics.notify(log, log.length - 1)
        break
      }
      default:
        assign(call.does)
    }
  }
  const results = await within('the results of all jobs', Promise.all(jobs.map(({ result }) => result)), PATIENCE)
  await within('the end of the context', Promise.all([...ends, context.close()]), PATIENCE)

  const begun = Array.from(log.subarray(1, 1 + (log[0] as number)))
  assert.deepEqual(
    begun,
    begun.toSorted((a, b) => a - b),
    'jobs begin in their order',
  )
  assert.equal(new Set(begun).size, begun.length, `each job begins once: ${begun.join()}`)
  for (const [number, { does, late, dropped, expected }] of jobs.entries()) {
    const result = results[number] as Result
    assert.ok(
      expected.some((one) => JSON.stringify(one) === JSON.stringify(result)),
      `job ${number}, which ${does}: ${JSON.stringify(result)} is none of ${JSON.stringify(expected)}`,
    )
    if (late || dropped) assert.ok(!begun.includes(number), `job ${number} was dropped, and began`)
    else if (expected.length === 1 && !isTerminated) assert.ok(begun.includes(number), `job ${number} never began`)
  }
}

describe('the context does the same as a list of jobs, for random calls', function () {
  this.timeout(600_000)

  it('and jobs that return, throw, crash or are aborted', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(CALL, { maxLength: MOST_JOBS }), run),
      parameters(Math.ceil(RUNS * RUN_SHARE)),
    ))
})
