/** A thread that has something to log: it serves invented requests until the log is closed. */
import { parentPort, workerData } from 'node:worker_threads'
import type { QueueHandle } from 'threadsafe'
import { Logger } from './logger.js'

export interface RequestData {
  lines: QueueHandle<string>
  name: string
}

/** The report that a worker makes when it ends. */
export interface Report {
  name: string
  accepted: number
}

const { lines, name } = workerData as RequestData
const logger = new Logger(lines, name)

/** Stands for real work of a few microseconds. */
function serve(request: number): number {
  let sum = request
  for (let k = Math.random() * 1000; k > 0; k--) sum = Math.imul(sum, 31) + 1
  return sum >>> 0
}

for (let request = 1; logger.log(`request ${request} returned ${serve(request)}`); request++);
parentPort?.postMessage({ name, accepted: logger.accepted } satisfies Report)
