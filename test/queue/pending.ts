/** Small queues, and checks of whether a call on one is still pending. */
import { ThreadSafeQueue } from '../../lib/index.js'
import { loopIterations } from '../support.js'

export const numbers = (capacity: number, type: 'int32' | 'any' = 'int32'): ThreadSafeQueue<number> =>
  new ThreadSafeQueue<number>(capacity, { type })

/** Makes a queue with these items and no room for more. */
export function fullOf(...items: number[]): ThreadSafeQueue<number> {
  const queue = numbers(items.length)
  for (const item of items) queue.putSync(item)
  return queue
}

/** Returns three objects of the same queue. */
export function threeObjects<T>(queue: ThreadSafeQueue<T>): ThreadSafeQueue<T>[] {
  return [queue, ThreadSafeQueue.from(queue.handle), ThreadSafeQueue.from(structuredClone(queue.handle))]
}

export function at<T>(list: T[], index: number): T {
  return list[index % list.length] as T
}

/** Returns whether the promise is still pending after the loop has iterated. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  promise.then(
    () => (pending = false),
    () => (pending = false),
  )
  await loopIterations()
  return pending
}

/** Returns whether the promise is still pending after microtasks. */
export async function isPendingNow(promise: Promise<unknown>): Promise<boolean> {
  const pending = {}
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}
