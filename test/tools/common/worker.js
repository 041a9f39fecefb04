// Doubles each number that comes in, until the queue is closed.
import { workerData } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from 'threadsafe'

const numbers = ThreadSafeQueue.from(workerData.numbers)
const doubled = ThreadSafeQueue.from(workerData.doubled)
ThreadSafeEvent.from(workerData.ready).set()
for await (const number of numbers) await doubled.put({ number, twice: 2 * number })
doubled.close()
