/**
 * The worker of numbers.ts. It sends numbers through a queue, or by `postMessage` if it has none.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from 'threadsafe'

export interface NumbersData {
  numbers: QueueHandle<number> | undefined
  count: number
}

const { numbers, count } = workerData as NumbersData

parentPort?.once('message', () => {
  if (numbers === undefined) {
    for (let n = 0; n < count; n++) parentPort?.postMessage(n)
    return
  }
  const queue = ThreadSafeQueue.from(numbers)
  for (let n = 0; n < count; n++) queue.putSync(n, { block: true }) // waits while the queue is full
  queue.close()
})
parentPort?.postMessage('ready')
