/** A worker that takes a job, works for a few microseconds, and puts the result. */
import { workerData } from 'node:worker_threads'
import { QueueClosedError, type QueueHandle, ThreadSafeQueue } from 'threadsafe'

export interface LoadData {
  jobs: QueueHandle<number>
  results: QueueHandle<number>
}

const { jobs: jobsHandle, results: resultsHandle } = workerData as LoadData
const jobs = ThreadSafeQueue.from(jobsHandle)
const results = ThreadSafeQueue.from(resultsHandle)

try {
  for (;;) {
    const job = jobs.getSync({ block: true })
    for (const end = performance.now() + 0.05; performance.now() < end;);
    results.putSync(job, { block: true })
    jobs.taskDone()
  }
} catch (error) {
  if (!(error instanceof QueueClosedError)) throw error
}
