/** Ways of passing items between two processes over a Redis server. */
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import { RedisQueue } from '../../lib/redis/index.js'
import { type Runner, Unavailable } from '../harness/case.js'
import { freePort } from '../harness/free-port.js'

export const KEY = 'bench'
export const GROUP = 'bench'
export const BATCH = 128
const CAPACITY = 4096
/** 100 bytes, as JSON. */
const ITEM = 'x'.repeat(98)

export type WayOfRedis = 'queue-batches' | 'queue-items' | 'plain'
export type Client = Awaited<ReturnType<typeof connect>>

/** Ends with this process, however that ends: the shell sees its standard input close. */
const SERVER = `
folder=$(mktemp -d)
redis-server --port "$1" --bind 127.0.0.1 --dir "$folder" --save '' --appendonly yes >"$folder/log" </dev/null &
cat >/dev/null
kill -9 $!
rm -rf "$folder"`

export async function connect(port: number) {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 20 } })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

type Put = (items: number) => Promise<unknown>

async function producer(way: WayOfRedis, client: Client): Promise<Put> {
  if (way === 'plain') {
    const items = `{${KEY}}:items`
    const put = (): Promise<unknown> => client.sendCommand(['XADD', items, '*', 'v', ITEM])
    return async (count) => {
      for (let from = 0; from < count; from += BATCH) await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, put))
    }
  }
  const queue = await RedisQueue.open<string>(client, KEY, { capacity: CAPACITY, group: GROUP })
  if (way === 'queue-batches') {
    return async (count) => {
      for (let from = 0; from < count; from += BATCH) await queue.putMany(Array<string>(Math.min(BATCH, count - from)).fill(ITEM))
    }
  }
  return async (count) => {
    for (let from = 0; from < count; from += BATCH) {
      await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, () => queue.put(ITEM)))
    }
  }
}

/** Microseconds an item, from the first put to the last item's arrival in the other process. */
export async function overRedis(way: WayOfRedis): Promise<Runner> {
  if (spawnSync('redis-server', ['--version']).status !== 0) throw new Unavailable('redis-server is not installed')
  const port = await freePort()
  const server = spawn('sh', ['-c', SERVER, 'sh', String(port)], { stdio: ['pipe', 'ignore', 'ignore'] })
  const client = await connect(port)
  // It has no file yet while it starts.
  while (String(await client.sendCommand(['INFO', 'persistence'])).includes('loading:1')) await delay(5)
  const put = await producer(way, client)
  const file = fileURLToPath(new URL('./redis-consumer.js', import.meta.url))
  const consumer = spawn(process.execPath, [file, way, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const arrived = createInterface({ input: consumer.stdout })[Symbol.asyncIterator]()
  await arrived.next()
  server.unref()
  return async (items) => {
    consumer.stdin.write(`${items}\n`)
    const start = process.hrtime.bigint()
    await put(items)
    await arrived.next()
    return Number(process.hrtime.bigint() - start) / 1000 / items
  }
}
