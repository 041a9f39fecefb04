/**
 * Four workers log through one queue, and one thread writes the lines into files of limited size.
 * SIGTERM and SIGINT end the program without losing a line that was accepted.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { count } from '../display.js'
import { createLines } from './logger.js'
import type { Report, RequestData } from './request-worker.js'
import type { WriterData } from './writer-worker.js'

const WORKERS = 4

const { values: options } = parseArgs({
  options: {
    directory: { type: 'string', default: 'logs' },
    'max-bytes': { type: 'string', default: '10000000' },
    keep: { type: 'string', default: '10' },
    seconds: { type: 'string', default: 'Infinity' },
    sync: { type: 'boolean', default: false },
  },
})

function positive(option: 'max-bytes' | 'keep' | 'seconds'): number {
  const value = Number(options[option])
  if (!(value > 0)) throw new RangeError(`--${option} must be a number above 0, it is '${options[option]}'`)
  return value
}

const rotation = { directory: options.directory, maxBytes: positive('max-bytes'), keep: positive('keep'), sync: options.sync }
const milliseconds = positive('seconds') * 1000
const lines = createLines()

// Closing the queue is enough to end the program. Each worker learns of it at its next line, and
// the writer when it has written what was accepted. A second signal meets the default action, which
// ends the process at once.
const close = (): void => lines.close()
process.once('SIGTERM', close).once('SIGINT', close)
if (milliseconds < Infinity) setTimeout(close, milliseconds)

/** Resolves when the worker has ended by itself, and rejects when an error has ended it. */
async function run(file: string, workerData: WriterData | RequestData): Promise<Report[]> {
  const reports: Report[] = []
  const worker = new Worker(new URL(file, import.meta.url), { workerData })
  worker.on('message', (report: Report) => reports.push(report))
  await once(worker, 'exit')
  return reports
}

const written = run('./writer-worker.js', { lines: lines.handle, rotation }).catch((error: unknown) => {
  // Nothing writes any more, so nothing may wait for room.
  lines.close({ discard: true })
  const { discarded } = lines.stats()
  throw new Error(`The writer failed, and ${count(discarded)} queued lines are lost.`, { cause: error })
})
const logged = Array.from({ length: WORKERS }, (_, k) =>
  run('./request-worker.js', { lines: lines.handle, name: `worker-${k + 1}` }).catch((error: unknown) => {
    lines.close()
    throw new Error(`worker-${k + 1} failed. What it has logged is written.`, { cause: error })
  }),
)
console.log(`process ${process.pid} logs to ${rotation.directory}; end it with SIGTERM, or Ctrl-C`)

for (const end of await Promise.allSettled([written, ...logged])) {
  if (end.status === 'fulfilled') {
    for (const { name, accepted } of end.value) console.log(`${name} logged ${accepted} lines`)
  } else {
    console.error(end.reason)
    process.exitCode = 1
  }
}
