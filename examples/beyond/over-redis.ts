/** The queues on a Redis or Valkey server: `REDIS_URL`, or that of this machine. */
import { createClient } from 'redis'
import { RedisQueue } from 'threadsafe/redis'
import { messagePack } from './codec.js'
import { ACK_WAIT, CAPACITY, type Queues } from './places.js'
import type { Block, Part } from './stages.js'

export async function openOverRedis(run: string): Promise<Queues> {
  const client = createClient({ url: process.env.REDIS_URL })
  client.on('error', () => undefined) // calls wait until it is connected again
  await client.connect()
  const options = { capacity: CAPACITY, ackWait: ACK_WAIT }
  const blocks = await RedisQueue.open(client, `${run}:blocks`, { ...options, codec: messagePack<Block>() })
  const parts = await RedisQueue.open(client, `${run}:parts`, { ...options, codec: messagePack<Part>() })
  const detach = () => Promise.all([blocks.detach(), parts.detach()])
  return {
    blocks,
    parts,
    async end() {
      await detach()
      client.destroy()
    },
    async remove() {
      await detach()
      for await (const keys of client.scanIterator({ MATCH: `{${run}:*` })) if (keys.length > 0) await client.unlink(keys)
      client.destroy()
    },
  }
}
