/**
 * Something to watch: three queues between this loop and two workers, one of which can't keep up.
 */
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from 'threadsafe'
import { Monitor } from './monitor.js'
import type { LoadData } from './load-worker.js'

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: 'Infinity' }, fail: { type: 'boolean', default: false } },
})
const seconds = Number(options.seconds)
if (!(seconds > 0)) throw new RangeError(`--seconds must be a number above 0, it is '${options.seconds}'`)

const jobs = new ThreadSafeQueue(1000, { type: 'float64', name: 'jobs' })
const results = new ThreadSafeQueue(1000, { type: 'float64', name: 'results' })
const samples = new ThreadSafeQueue(100, { type: 'float64', name: 'samples', overflow: 'drop-oldest' })

const workerData: LoadData = { jobs: jobs.handle, results: results.handle }
for (let k = 0; k < 2; k++) new Worker(new URL('./load-worker.js', import.meta.url), { workerData })

{
  using monitor = new Monitor([jobs, results, samples])
  void monitor

  // Nobody reads the samples, so the oldest are dropped.
  const sampling = setInterval(() => samples.putSync(performance.now()), 5)
  const ending = seconds < Infinity ? setTimeout(() => jobs.close(), seconds * 1000) : undefined
  // An uncaught error ends the process, and must leave the terminal as it was.
  if (options.fail) setTimeout(() => samples.putSync('not a number' as unknown as number), 200)

  const feeding = (async () => {
    // The burst varies, and never exceeds the room that is left.
    for (let k = 0; !jobs.closed; k++) {
      const pace = 1 + Math.sin(performance.now() / 2000)
      await jobs.put(k).catch(() => undefined)
      if (k % 100 > 50 * pace) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  const reading = (async () => {
    for await (const result of results) if (result % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  })()

  await feeding
  await jobs.join() // until the workers have put the result of every job
  results.close()
  await reading
  clearInterval(sampling)
  clearTimeout(ending)
}
console.log('The queues are closed and drained.')
