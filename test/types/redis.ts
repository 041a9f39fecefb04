/** A stage is written once, and runs over a local queue and over one on a server. */
import { type AsyncQueue, ThreadSafeQueue } from 'threadsafe'
import { RedisQueue, type RedisClient } from 'threadsafe/redis'

async function stage(from: AsyncQueue<number>, to: AsyncQueue<string>): Promise<void> {
  for await (const n of from) await to.put(String(n))
  await to.close()
}

export async function both(client: RedisClient): Promise<void> {
  await stage(new ThreadSafeQueue(1, { type: 'float64' }), new ThreadSafeQueue<string>(4))
  const numbers = await RedisQueue.open<number>(client, 'numbers', { capacity: 10 })
  await stage(numbers, new ThreadSafeQueue(1, { type: 'string' }))
  const { value, ack } = await numbers.receive()
  value satisfies number
  await ack()
  // @ts-expect-error -- no string.
  await numbers.put('1')
}
