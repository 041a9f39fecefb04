import { strict as assert } from 'node:assert'
import { type ThreadSafeQueue } from '../../lib/index.js'

/**
 * Passes an item through the queue by a put and a get that do not wait, and by asynchronous ones,
 * which take other paths.
 */
export async function through<T>(queue: ThreadSafeQueue<T>, item: T): Promise<[T, T, T, T]> {
  queue.putSync(item)
  const first = queue.getSync()
  await queue.put(item)
  const second = await queue.get()
  const third = queue.get()
  assert.equal(queue.tryPut(item), true)
  // A put that waits keeps the item until there is room.
  const answer = await third
  while (queue.tryPut(item));
  const room = queue.put(item)
  queue.getSync()
  await room
  let last = queue.getSync()
  while (!queue.empty()) last = queue.getSync()
  return [first, second, answer, last]
}
