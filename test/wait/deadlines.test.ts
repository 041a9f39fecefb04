/** A call whose deadline has passed looks once more, and takes what is there by then. */
import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ElementType, select, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { root } from '../fixtures/native-addon.js'
import { rejection, loopIterations, runProcess, within } from '../support.js'

function busy(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/**
 * Runs `happens` once the calls wait, and then keeps the loop busy until after the deadlines. Both
 * are in the same iteration of the loop, so however slow the machine is, no deadline comes first.
 */
async function busyAfter(happens: () => unknown): Promise<void> {
  await Promise.resolve()
  happens()
  busy(40)
}

const timeout = 20

for (const type of ['float64', 'any', 'bytes'] as ElementType[]) {
  const item = (k: number): unknown => (type === 'bytes' ? Uint8Array.of(k) : k)
  const make = (capacity: number): ThreadSafeQueue<unknown> => new ThreadSafeQueue<unknown>(capacity, { type })

  describe(`a deadline that passes while the loop is busy, on a queue of ${String(type)}`, () => {
    it('leaves a get the item that came in time', async () => {
      const queue = make(4)
      const got = queue.get({ timeout })
      await busyAfter(() => queue.putSync(item(7)))
      assert.deepEqual(await got, item(7))
      assert.equal(queue.qsize(), 0)
    })

    it('leaves each of several gets the item that came in time, in their order; the others time out', async () => {
      const queue = make(4)
      const gets = [queue.get(), queue.get({ timeout }), queue.get({ timeout: timeout + 1 }), queue.get({ timeout: timeout + 2 })]
      await busyAfter(() => queue.putManySync([item(1), item(2), item(3)]))
      assert.deepEqual(await Promise.all(gets.slice(0, 3)), [item(1), item(2), item(3)])
      assert.ok((await rejection(gets[3] as Promise<unknown>)) instanceof TimeoutError)
      assert.equal(queue.stats().waitingGets, 0)
    })

    it('takes no item from those who wait longer', async () => {
      const queue = make(4)
      const first = queue.get()
      const second = queue.get({ timeout })
      await busyAfter(() => queue.putSync(item(1)))
      assert.ok((await rejection(second)) instanceof TimeoutError)
      assert.deepEqual(await within('the first', first), item(1))
    })

    it('leaves a getMany the items that came in time', async () => {
      const queue = make(4)
      const got = queue.getMany(10, { timeout })
      await busyAfter(() => queue.putManySync([item(1), item(2)]))
      assert.deepEqual([...(await got)], [item(1), item(2)])
    })

    it('leaves a put the room that came in time', async () => {
      const queue = make(1)
      queue.putSync(item(0))
      const put = queue.put(item(1), { timeout })
      await busyAfter(() => queue.getSync())
      await put
      assert.deepEqual(queue.getSync(), item(1))
    })

    it('leaves a putMany the room that came in time, and counts what went in', async () => {
      const queue = make(2)
      queue.putManySync([item(0), item(0)])
      const put = queue.putMany([item(1), item(2)], { timeout })
      await busyAfter(() => queue.clear())
      await put
      const next = queue.putMany([item(3), item(4)], { timeout })
      await busyAfter(() => queue.getSync())
      const error = (await rejection(next)) as TimeoutError & { count: number }
      assert.ok(error instanceof TimeoutError)
      assert.equal(error.count, 1)
    })

    it('leaves a select() the item that came in time', async () => {
      const queues = [make(4), make(4)]
      const selected = select([...queues, new ThreadSafeEvent()], { timeout })
      await busyAfter(() => queues[1]?.putSync(item(5)))
      const { index, item: got } = await selected
      assert.deepEqual([index, got], [1, item(5)])
    })

    it('times the calls out if nothing came', async () => {
      const queue = make(1)
      const calls = [queue.get({ timeout }), select([queue], { timeout })]
      await busyAfter(() => undefined)
      for (const call of calls) assert.ok((await rejection(call)) instanceof TimeoutError)
      queue.putSync(item(1))
      await loopIterations()
      assert.equal(queue.qsize(), 1)
    })
  })
}

describe('a deadline that passes behind a forEach() that has used up its time', () => {
  for (const [what, get] of [
    ['get', (queue) => queue.get({ timeout: 1 })],
    ['getMany', (queue) => queue.getMany(1, { timeout: 1 })],
    ['select', (queue) => select([new ThreadSafeEvent(), queue], { timeout: 1 })],
  ] as [string, (queue: ThreadSafeQueue<number, Float64Array>) => Promise<unknown>][]) {
    it(`leaves a ${what} an item that came in time`, async () => {
      const queue = new ThreadSafeQueue<number>(1000, { type: 'float64' })
      queue.putManySync(new Float64Array(1000))
      const received = queue.forEach(() => busy(2))
      for (let round = 0; round < 20; round++) {
        await loopIterations(1)
        const got = get(queue)
        busy(3)
        await within('the item', got)
      }
      assert.ok(queue.qsize() > 0)
      queue.close({ discard: true })
      await received
    })
  }
})

describe('a deadline that passes while the loop is busy, on an event', () => {
  for (const cleared of [false, true]) {
    it(`leaves a wait the set() that came in time${cleared ? ', though clear() followed' : ''}`, async () => {
      const event = new ThreadSafeEvent()
      const waits = [event.wait({ timeout }), select([event], { timeout }), event.wait({ timeout: timeout + 1 })]
      await busyAfter(() => {
        event.set()
        if (cleared) event.clear()
      })
      await within('all waits', Promise.all(waits))
    })
  }

  it('times a wait out if the event was not set', async () => {
    const event = new ThreadSafeEvent()
    const wait = event.wait({ timeout })
    await busyAfter(() => undefined)
    assert.ok((await rejection(wait)) instanceof TimeoutError)
  })
})

describe('a deadline', () => {
  it('is neither early nor very late, even among many others', async () => {
    const queue = new ThreadSafeQueue<number>(1)
    const start = performance.now()
    const times = [30, 5, 80, 5.5, 0.25, 42, 1000]
    const late = new Map<number, number>()
    const aborting = new AbortController()
    const calls = times.map((timeout) =>
      queue.get({ timeout, signal: aborting.signal }).catch(() => late.set(timeout, performance.now() - start - timeout)),
    )
    await within('the first six', Promise.all(calls.slice(0, 6)))
    aborting.abort()
    await calls[6]
    for (const timeout of times.slice(0, 6)) {
      const by = late.get(timeout) as number
      assert.ok(by >= 0 && by < 500, `${timeout} ms were over ${by} ms late`)
    }
  })

  it('can be any number of milliseconds', async () => {
    const queue = new ThreadSafeQueue<number>(2)
    const calls = [2 ** 31, 1e15, Number.MAX_VALUE, Number.MIN_VALUE].map((timeout) => queue.get({ timeout }))
    assert.ok((await rejection(calls[3] as Promise<number>)) instanceof TimeoutError)
    queue.close()
    for (const call of calls.slice(0, 3)) assert.equal(((await rejection(call)) as { code?: string }).code, 'ERR_QUEUE_CLOSED')
  })
})

describe('the deadline of a blocking call', () => {
  it('does not move when the time of day is set back', async function () {
    if (process.platform !== 'linux') return this.skip()
    const directory = mkdtempSync(join(tmpdir(), 'threadsafe-clock-'))
    try {
      const library = join(directory, 'wall-clock.so')
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(root, 'test/fixtures/wall-clock.c')])
      // A sanitizer that is preloaded comes first.
      const LD_PRELOAD = [process.env.LD_PRELOAD, library].filter(Boolean).join(' ')
      const { code, stdout, stderr } = await runProcess('timeouts-process', [], 20_000, [], { ...process.env, LD_PRELOAD })
      assert.equal(code, 0, stderr)
      const took = [...stdout.matchAll(/^(\w+) (\d+)$/gm)]
      assert.equal(took.length, 4, stdout)
      for (const [, name, milliseconds] of took) assert.ok(Number(milliseconds) >= 99, `${name} took ${milliseconds} ms`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
