/** The parts of a running context: its worker and its two queues. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Lane } from '../lane/lane.js'
import { packageRoot } from '../package-root.js'
import { channelOfQueue } from '../queue/object.js'
import { ThreadSafeQueue } from '../queue/queue.js'
import { type Answer, type Job, MOST_BYTES } from './context-protocol.js'

// Not `new URL(..., import.meta.url)`: a bundler would look for that file.
const PROGRAM = join(packageRoot, 'dist/lib/shared/context-worker.js')

export function startWorker(workerData: unknown): Worker {
  // A worker inherits this option, with which Node refuses to run a file.
  const isText = process.execArgv.some((option) => option.startsWith('--input-type'))
  return isText
    ? new Worker(`import(${JSON.stringify(pathToFileURL(PROGRAM).href)})`, { workerData, eval: true })
    : new Worker(PROGRAM, { workerData })
}

/** The queues, and their lanes. They exist from the first job on. */
export interface Queues {
  readonly jobs: ThreadSafeQueue<Job>
  readonly answers: ThreadSafeQueue<Answer>
  readonly toWorker: Lane<unknown, unknown>
  readonly fromWorker: Lane<unknown, unknown>
}

export function queuesOf(qsize: number): Queues {
  const options = { itemBytes: Math.ceil(MOST_BYTES / qsize) }
  const jobs = new ThreadSafeQueue<Job>(qsize, options)
  const answers = new ThreadSafeQueue<Answer>(qsize, options)
  // Pending jobs keep the process alive instead.
  answers.unref()
  return { jobs, answers, toWorker: channelOfQueue(jobs).lane, fromWorker: channelOfQueue(answers).lane }
}
