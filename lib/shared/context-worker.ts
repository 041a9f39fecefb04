/**
 * The program of a context's worker: takes one job after the other, and puts an answer for each.
 */
import { once } from 'node:events'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { native } from '../addon/native.js'
import { CLOSED } from '../lane/lane.js'
import { channelOfQueue } from '../queue/object.js'
import { ThreadSafeQueue } from '../queue/queue.js'
import { NOTHING } from '../wait/selectable.js'
import { isTooLarge, pack, tooLarge } from './context-errors.js'
import { functionOf, functionsOf, load } from './context-module.js'
import { type Answer, type Job, OUTCOME, type Setup } from './context-protocol.js'

const { exit } = process

// The setup is not in workerData, which belongs to the module.
const [setup] = (await once(parentPort as MessagePort, 'message')) as [Setup]
const { module, cancelled } = setup
const jobs = ThreadSafeQueue.from<Job, Job[], Job>(setup.jobs)
const answers = ThreadSafeQueue.from<Answer, Answer[], Answer>(setup.answers)

let functions: Awaited<ReturnType<typeof load>>['exports']
try {
  functions = (await load(module)).exports
} catch (error) {
  await answers.put([-1, OUTCOME.unloadable, pack(error)])
  exit(1)
}

/** Runs the job. Returns a promise if there is something to await before the next job. */
function run([number, name, ...args]: Job): Promise<void> | undefined {
  // A job begins with this load. A cancellation that is earlier in the total order of atomic
  // operations keeps the job from running; a later one is too late. No other ordering is needed.
  if (Atomics.load(cancelled, number % cancelled.length) !== 0) return answer(name, [number, OUTCOME.dropped])
  const job = functionOf(functions, name)
  if (!job) return answer(name, [number, OUTCOME.unknown, functionsOf(functions)])
  let result: unknown
  try {
    result = job(...args)
    if (isThenable(result)) return settle(number, name, result)
  } catch (error) {
    return answer(name, [number, OUTCOME.threw, pack(error)])
  }
  return answer(name, [number, OUTCOME.returned, result])
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return false
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

async function settle(number: number, name: string, result: PromiseLike<unknown>): Promise<void> {
  let outcome: Answer
  try {
    outcome = [number, OUTCOME.returned, await result]
  } catch (error) {
    outcome = [number, OUTCOME.threw, pack(error)]
  }
  await answer(name, outcome)
}

function answer(name: string, outcome: Answer): Promise<void> | undefined {
  try {
    return answers.tryPut(outcome) ? undefined : answerLater(name, outcome)
  } catch (error) {
    return refuse(name, outcome, error)
  }
}

async function answerLater(name: string, outcome: Answer): Promise<void> {
  try {
    await answers.put(outcome)
  } catch (error) {
    await refuse(name, outcome, error)
  }
}

/** Answers in place of an outcome that the queue did not take, or whose own code has thrown. */
async function refuse(name: string, [number, outcome]: Answer, error: unknown): Promise<void> {
  const what = outcome === OUTCOME.returned ? 'result' : 'error'
  await answers.put([number, OUTCOME.threw, pack(isTooLarge(error) ? tooLarge(`${what} of ${name}()`) : error)])
}

/**
 * How long the worker blocks for the next job before it goes back to its loop, in milliseconds. A
 * caller that awaits one job after the other assigns the next one soon, and waking a loop takes
 * longer than waking a thread.
 */
const PATIENCE = 0.2
/** How long jobs that are not awaited may keep the loop waiting, in milliseconds. */
const SHARE = 1

const lane = channelOfQueue(jobs).lane

function runAndStay(first: Job): Promise<void> | undefined {
  let pending = run(first)
  if (pending || lane.size() > 0) return pending
  const end = native.now() + SHARE
  do {
    const next = lane.getBlocking(PATIENCE)
    if (next === NOTHING || next === CLOSED) return undefined
    pending = run(next as Job)
  } while (!pending && lane.size() === 0 && native.now() < end)
  return pending
}

// A job that can't be decoded ends the worker, and is rejected like a job that the worker ended in.
await jobs.forEach(runAndStay)
// Timers or sockets that the module has left would keep the worker alive.
exit()
