/**
 * The example whose stages are processes over a server. They are killed at random, `BEYOND_KILLS`
 * of them for each server, and find what one process finds.
 */
import { strict as assert } from 'node:assert'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { messagePack } from '../../examples/beyond/codec.js'
import { Kept } from '../../examples/beyond/kept.js'
import { type Place, PLACES, type Queues } from '../../examples/beyond/places.js'
import { runProcesses } from '../../examples/beyond/processes.js'
import { crunch, type Ledger, type Part, read, type Sums, total } from '../../examples/beyond/stages.js'
import { crunchAlone } from '../../examples/ndjson/crunch.js'
import { generate } from '../../examples/ndjson/generate.js'
import { HAS_SERVER, RedisServer } from '../redis/server.js'
import { within } from '../support.js'
import { missingNats, NatsServer } from './nats-server.js'

const KILLS = Number(process.env.BEYOND_KILLS ?? 3)
/** How many processes are killed for each time that the server is. */
const KILLS_PER_SERVER = 10
const BYTES = 2e6 + 1e5 * KILLS
/** Milliseconds that a process works, at most, until it is killed. */
const LONGEST_LIFE = 100
/** With `everysec` the server may reply before it has written: while a flush is under way. */
const WRITES_FIRST = ['--appendfsync', 'always']
const PATIENCE = 30_000 + 3000 * KILLS

describe('examples/beyond', function () {
  this.timeout(PATIENCE + 10_000)

  let directory: string
  let file: string
  let expected: unknown
  let names = 0

  const fresh = (): string => `beyond-${++names}`
  const kept = <T>(name: string): Kept<T> => new Kept<T>(join(directory, name))
  const sorted = ({ bad, paths, minutes }: Sums): unknown => ({ bad, paths: [...paths].sort(), minutes: [...minutes].sort() })

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-beyond-'))
    file = join(directory, 'access.ndjson')
    generate(file, BYTES)
    expected = sorted(await crunchAlone(file))
  })

  after(() => rmSync(directory, { recursive: true, force: true }))

  describe('in one process', () => {
    const run = ({ blocks, parts }: Queues, name: string): Promise<Sums> => {
      const all = [read(file, blocks, kept(`${name}.checkpoint`)), crunch(blocks, parts), total(parts, kept(`${name}.ledger`))] as const
      return within('the sums', Promise.all(all), 20_000).then(([, , sums]) => sums)
    }

    it('finds what is in the file', async () => {
      assert.deepEqual(sorted(await run(await PLACES.here(), fresh())), expected)
    })

    it('goes on where an earlier process was killed', async () => {
      const name = fresh()
      const first = await PLACES.here()
      const reading = read(file, first.blocks, kept(`${name}.checkpoint`))
      const some: Part[] = []
      const parts = { put: async (part: Part) => void some.push(part), close: () => undefined }
      const crunching = crunch(first.blocks, parts)
      // The reader is stopped by its queue, and what was accepted goes through the other stages.
      while (some.length < 5) await delay(1)
      await first.blocks.close()
      await assert.rejects(reading, { code: 'ERR_QUEUE_CLOSED' })
      await crunching
      await total(from(some), kept(`${name}.ledger`))
      assert.deepEqual(sorted(await run(await PLACES.here(), name)), expected)
    })

    it('counts a part once that is delivered again, to the same process and to the next', async () => {
      const ledger = kept<Ledger>(fresh())
      const sums: Sums = { bad: 0, paths: new Map(), minutes: new Map([[1, 10]]) }
      await total(
        from([
          { position: 0, sums },
          { position: 0, sums },
        ]),
        ledger,
      )
      const found = await total(
        from([
          { position: 0, sums },
          { position: 9, sums },
        ]),
        ledger,
      )
      assert.deepEqual(found.minutes, new Map([[1, 20]]))
    })

    it('has a codec that keeps bytes, maps and sets', () => {
      const item = { lines: Uint8Array.of(1, 2), sums: new Map([[3, { a: [4] }]]), positions: new Set([5]) }
      const { encode, decode } = messagePack<typeof item>()
      const copy = decode(Buffer.from(encode(item)))
      assert.deepEqual({ ...copy, lines: Uint8Array.from(copy.lines) }, item)
    })
  })

  async function* from(parts: Iterable<Part>): AsyncGenerator<Part, void> {
    yield* parts
  }

  /** Runs the stages while processes are killed; `strike` is called from time to time. */
  async function killAtRandom(over: Place, strike: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    let left = KILLS
    let kills = 0
    let strikes = Promise.resolve()
    const atWork = (child: ChildProcess): void => {
      if (left === 0) return
      if (left-- % KILLS_PER_SERVER === 1) strikes = strikes.then(strike)
      const timer = setTimeout(() => child.kill('SIGKILL') && kills++, LONGEST_LIFE * Math.random())
      child.once('exit', () => clearTimeout(timer))
    }
    const found = await within('the sums', runProcesses({ over, run: fresh(), file, directory, atWork }), PATIENCE)
    await strikes
    assert.deepEqual(sorted(found), expected)
    assert.ok(kills > KILLS / 2, `only ${kills} processes were killed at work`)
  }

  describe('over Redis', () => {
    let server: RedisServer

    before(async function () {
      if (!HAS_SERVER) {
        console.log('      skipped: redis-server is not installed (apt-get install redis-server)')
        return this.skip()
      }
      server = await RedisServer.start(...WRITES_FIRST)
      process.env.REDIS_URL = `redis://127.0.0.1:${server.port}`
    })

    after(async () => {
      delete process.env.REDIS_URL
      await server?.stop()
    })

    it('finds the same, though processes and the server are killed', async () => {
      await killAtRandom('redis', async () => {
        await server.kill()
        await server.start(...WRITES_FIRST)
      })
    })
  })

  describe('over NATS JetStream', () => {
    let server: NatsServer

    before(async function () {
      const missing = missingNats()
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`)
        return this.skip()
      }
      server = await NatsServer.start()
      process.env.NATS_URL = server.url
    })

    after(async () => {
      delete process.env.NATS_URL
      await server?.stop()
    })

    it('finds the same, though processes are killed', () => killAtRandom('nats'))
  })
})
