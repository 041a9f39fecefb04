import { workerData } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from 'threadsafe'

const jobs = ThreadSafeQueue.from(workerData.jobs)
const results = ThreadSafeQueue.from(workerData.results)
for await (const number of jobs) results.putSync({ number: 2 * number, text: `${number} was put` }, { block: true })
ThreadSafeEvent.from(workerData.done).set()
