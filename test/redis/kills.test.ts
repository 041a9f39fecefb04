/**
 * Producers and consumers in processes of their own, while the server and consumers are killed:
 * nothing that was accepted is lost, nothing is put twice, and nothing is delivered twice but what
 * was in hand. REDIS_ITEMS=60000 is the full size, which runs with each client alone.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import { RedisQueue } from '../../lib/redis/index.js'
import { until, within } from '../support.js'
import { HAS_SERVER, RedisServer } from './server.js'

const ITEMS = Number(process.env.REDIS_ITEMS ?? 800)
const FULL = ITEMS >= 60_000
const PRODUCERS = FULL ? 4 : 2
const CONSUMERS = FULL ? 4 : 2
const SERVER_KILLS = FULL ? 3 : 1
const CONSUMER_KILLS = FULL ? 4 : 1
const CAPACITY = 500
/**
 * The most that a consumer has taken and not acknowledged: in advance, and done but not yet told.
 */
const IN_HAND = 2 * 128
/**
 * Milliseconds: a machine that is busy stops a process for a while, and what it has in hand is
 * redelivered.
 */
const ACK_WAIT = FULL ? '5000' : '1000'
const LIMIT = FULL ? 240_000 : 30_000
/** For each run the clients, which the processes use alternately. */
const MIXES = FULL ? [['redis'], ['ioredis'], ['iovalkey']] : [['redis', 'ioredis', 'iovalkey']]

/** The deliveries that the consumers have printed. */
class Deliveries {
  readonly times = new Map<string, number>()
  total = 0
  /** The number of items that came to a consumer after a later one of the same producer. */
  outOfOrder = 0

  listen(child: ChildProcess): void {
    assert.ok(child.stdout)
    const latest = new Map<string, number>()
    createInterface(child.stdout).on('line', (line) => {
      this.total++
      this.times.set(line, (this.times.get(line) ?? 0) + 1)
      const [producer = '', number] = line.split(' ')
      const before = latest.get(producer) ?? -1
      if (Number(number) < before) this.outOfOrder++
      latest.set(producer, Math.max(before, Number(number)))
    })
  }
}

async function run(server: RedisServer, clients: readonly string[]): Promise<string> {
  const client = createClient({ socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: 20 } })
  client.on('error', () => undefined)
  const children: ChildProcess[] = []
  const deliveries = new Deliveries()
  const program = fileURLToPath(new URL('../fixtures/redis-stage.js', import.meta.url))
  const start = (role: string, ...rest: string[]): ChildProcess => {
    const args = [program, role, ACK_WAIT, clients[children.length % clients.length] ?? '', String(server.port), ...rest]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    deliveries.listen(child)
    return child
  }
  const ended = (all: ChildProcess[]): Promise<unknown> =>
    Promise.all(all.map((child) => (child.exitCode === null ? once(child, 'close') : undefined)))
  const items = '{killed}:items'
  const watching = new AbortController()
  let longest = 0
  const watch = async (): Promise<void> => {
    while (!watching.signal.aborted) {
      longest = Math.max(longest, Number(await client.sendCommand(['XLEN', items]).catch(() => 0)))
      await delay(5)
    }
  }

  try {
    await client.connect()
    await using queue = await RedisQueue.open(client, 'killed', { capacity: CAPACITY })
    const watched = watch()
    try {
      const producers = Array.from({ length: PRODUCERS }, (_, k) => start('producer', `p${k}`, String(ITEMS / PRODUCERS)))
      const consumers = Array.from({ length: CONSUMERS }, () => start('consumer'))
      const steps = SERVER_KILLS + CONSUMER_KILLS
      for (let step = 1; step <= steps; step++) {
        await until(`${step} parts of ${steps + 1} of the items`, () => deliveries.total > (step * ITEMS) / (steps + 1), LIMIT)
        const { outOfOrder } = deliveries
        assert.ok(outOfOrder <= (await queue.stats()).redelivered, 'items that were not redelivered are out of order')
        if (step % 2 === 0 && step <= 2 * SERVER_KILLS) {
          await server.kill()
          await server.start()
        } else {
          consumers.shift()?.kill('SIGKILL')
          consumers.push(start('consumer'))
        }
      }
      await within('the end of the producers', ended(producers), LIMIT)
      await queue.close()
      await within('the end of the consumers', ended(consumers), LIMIT)
      assert.deepEqual(
        [...producers, ...consumers].map(({ exitCode }) => exitCode),
        Array(PRODUCERS + CONSUMERS).fill(0),
      )
    } catch (error) {
      const state = JSON.stringify([await queue.stats(), await client.sendCommand(['XINFO', 'STREAM', items, 'FULL', 'COUNT', '3'])])
      throw new Error(`${deliveries.total} deliveries of ${deliveries.times.size} items. On the server: ${state}`, { cause: error })
    } finally {
      watching.abort()
      await watched
    }
    const { redelivered, depth } = await queue.stats()
    const { times, total, outOfOrder } = deliveries
    const twice = total - times.size
    assert.equal(times.size, ITEMS, 'items were lost')
    assert.equal(depth, 0)
    assert.ok(longest <= CAPACITY, `${longest} items were in a queue of ${CAPACITY}`)
    const info = (await client.sendCommand(['XINFO', 'STREAM', items])) as unknown as { 'entries-added': number }
    assert.equal(info['entries-added'], ITEMS + 1, 'entries in the stream: one for each item, and the mark of the end')
    assert.ok(twice <= redelivered, `${twice} items were delivered twice, and ${redelivered} because nobody acknowledged them`)
    assert.ok(twice <= IN_HAND * (CONSUMER_KILLS + CONSUMERS * SERVER_KILLS), `${twice} items were delivered twice`)
    assert.ok(outOfOrder <= redelivered, 'items that were not redelivered are out of order')
    return `${times.size} items, at most ${longest} at once; ${redelivered} redelivered, ${twice} twice, ${outOfOrder} out of order`
  } finally {
    for (const child of children) child.kill('SIGKILL')
    client.destroy()
  }
}

describe('RedisQueue between processes', () => {
  for (const clients of MIXES) {
    it(`loses none of ${ITEMS} items while the server and consumers are killed, with ${clients.join(', ')}`, async function () {
      if (!HAS_SERVER) {
        console.log('    skipped: redis-server is not installed (apt-get install redis-server)')
        return this.skip()
      }
      this.timeout(2 * LIMIT)
      // While the server syncs its file it keeps what it accepts in its memory, unless it syncs
      // always.
      const server = await RedisServer.start()
      try {
        console.log(`      ${await run(server, clients)}`)
      } finally {
        await server.stop()
      }
    })
  }
})
