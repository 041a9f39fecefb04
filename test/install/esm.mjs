// Uses the package in a few lines, on the main thread and in a worker, which is enough to show that
// it was installed properly.
import { Worker } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from 'threadsafe'

const jobs = new ThreadSafeQueue(4, { type: 'float64' })
const results = new ThreadSafeQueue(4)
const done = new ThreadSafeEvent()
const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
  workerData: { jobs: jobs.handle, results: results.handle, done: done.handle },
})
const exited = new Promise((resolve) => worker.once('exit', resolve))
for (let k = 1; k <= 10; k++) {
  await jobs.put(k)
  const { number, text } = await results.get()
  if (number !== 2 * k || text !== `${k} was put`) throw new Error(`Got ${number} and ${text}`)
}
jobs.close()
await done.wait()
await exited
console.log('works')
