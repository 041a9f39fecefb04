/**
 * Producers and consumers in processes of their own, while the server and consumers are killed:
 * nothing that was accepted is lost. REDIS_ITEMS=60000 is the full size.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import { RedisQueue } from '../../lib/redis/index.js'
import { until, within } from '../support.js'
import { HAS_SERVER, RedisServer } from './server.js'

const ITEMS = Number(process.env.REDIS_ITEMS ?? 4000)
const FULL = ITEMS >= 60_000
const PRODUCERS = FULL ? 4 : 2
const CONSUMERS = FULL ? 4 : 2
const SERVER_KILLS = FULL ? 3 : 1
const CONSUMER_KILLS = FULL ? 4 : 1
const CAPACITY = 500
/** The most that a consumer has in hand. */
const IN_HAND = 2 * 128
const LIMIT = FULL ? 240_000 : 30_000

describe('RedisQueue between processes', () => {
  it(`loses none of ${ITEMS} items while the server and consumers are killed`, async function () {
    if (!HAS_SERVER) {
      console.log('    skipped: redis-server is not installed (apt-get install redis-server)')
      return this.skip()
    }
    this.timeout(2 * LIMIT)
    const server = await RedisServer.start()
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: 20 } })
    client.on('error', () => undefined)
    const children: ChildProcess[] = []
    const deliveries = new Map<string, number>()
    const outOfOrder: string[] = []
    let delivered = 0

    const start = (...args: string[]): ChildProcess => {
      const [role = '', ...rest] = args
      const program = fileURLToPath(new URL('../fixtures/redis-stage.js', import.meta.url))
      const child = spawn(process.execPath, [program, role, String(server.port), ...rest], { stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(child)
      const last = new Map<string, number>()
      createInterface(child.stdout).on('line', (line) => {
        delivered++
        const before = deliveries.get(line) ?? 0
        deliveries.set(line, before + 1)
        const [producer = '', number] = line.split(' ')
        // Order per producer, at each consumer.
        if (Number(number) < (last.get(producer) ?? -1)) outOfOrder.push(line)
        last.set(producer, Number(number))
      })
      return child
    }
    const ended = (child: ChildProcess): Promise<unknown> => (child.exitCode === null ? once(child, 'close') : Promise.resolve())

    try {
      await client.connect()
      await using queue = await RedisQueue.open(client, 'killed', { capacity: CAPACITY })
      const producers = Array.from({ length: PRODUCERS }, (_, k) => start('producer', `p${k}`, String(ITEMS / PRODUCERS)))
      const consumers = Array.from({ length: CONSUMERS }, () => start('consumer'))
      const steps = SERVER_KILLS + CONSUMER_KILLS
      for (let step = 1; step <= steps; step++) {
        await until(`${step} parts of ${steps + 1} of the items`, () => delivered > (step * ITEMS) / (steps + 1), LIMIT)
        if (step % 2 === 1 && step < 2 * SERVER_KILLS) {
          await server.kill()
          await server.start()
        } else {
          const killed = consumers.shift()
          killed?.kill('SIGKILL')
          consumers.push(start('consumer'))
        }
        assert.ok((await queue.stats()).depth <= CAPACITY, 'more than the capacity')
      }
      await within('the end of the producers', Promise.all(producers.map(ended)), LIMIT)
      await queue.close()
      await within('the end of the consumers', Promise.all(consumers.map(ended)), LIMIT)
      assert.deepEqual(
        [...producers, ...consumers].map(({ exitCode }) => exitCode),
        Array(PRODUCERS + CONSUMERS).fill(0),
      )
      const { redelivered, depth } = await queue.stats()
      const twice = delivered - deliveries.size
      console.log(`      ${deliveries.size} items, ${twice} delivered twice, ${redelivered} redelivered, ${outOfOrder.length} out of order`)
      assert.equal(deliveries.size, ITEMS, 'items were lost')
      assert.equal(depth, 0)
      // Twice is what was in hand of whoever was killed, or could not say in time that it lives.
      assert.ok(twice <= IN_HAND * (CONSUMER_KILLS + CONSUMERS * SERVER_KILLS), `${twice} items were delivered twice`)
      assert.ok(outOfOrder.length <= redelivered, 'items that were not redelivered are out of order')
    } finally {
      for (const child of children) child.kill('SIGKILL')
      client.destroy()
      await server.stop()
    }
  })
})
