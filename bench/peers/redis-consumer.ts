/**
 * The process that gets items over a Redis server. Prints a line when it is ready, and one when it
 * has got as many items as a line of its input says.
 */
import { createInterface } from 'node:readline'
import { RedisQueue } from '../../lib/redis/index.js'
import { BATCH, type Client, connect, GROUP, KEY, type WayOfRedis } from './redis.js'

const [way, port] = process.argv.slice(2) as [WayOfRedis, string]
let got = 0
let wanted = Infinity

function count(items: number): void {
  got += items
  if (got < wanted) return
  got -= wanted
  wanted = Infinity
  console.log('arrived')
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  wanted = Number(line)
  count(0)
})
lines.on('close', () => process.exit())

type Entries = [id: string, fields: string[]][]

async function readPlainly(client: Client): Promise<void> {
  const items = `{${KEY}}:items`
  await client.sendCommand(['XGROUP', 'CREATE', items, GROUP, '0', 'MKSTREAM'])
  console.log('ready')
  const wanted = ['GROUP', GROUP, 'one', 'COUNT', String(BATCH), 'BLOCK', '0', 'STREAMS', items, '>']
  for (;;) {
    // A map in the protocol that the client speaks.
    const reply = (await client.sendCommand(['XREADGROUP', ...wanted])) as unknown as Record<string, Entries>
    const ids = (reply[items] ?? []).map(([id]) => id)
    await Promise.all([client.sendCommand(['XACK', items, GROUP, ...ids]), client.sendCommand(['XDEL', items, ...ids])])
    count(ids.length)
  }
}

const client = await connect(Number(port))
if (way === 'plain') {
  await readPlainly(client)
} else {
  const queue = await RedisQueue.open<string>(client, KEY)
  console.log('ready')
  if (way === 'queue-batches') for await (const items of queue.batches(BATCH)) count(items.length)
  else for await (const item of queue) count(item === '' ? 0 : 1)
}
