/**
 * Nobody starves where items span slots: neither a long item among short ones that always find
 * room, nor an event loop among threads, nor a call that waits behind a long item.
 */
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import type { StarvationTask } from '../fixtures/starvation-worker.js'
import { finished, startWorker, until, within } from '../support.js'

const PUT = 0
const BEGUN = 1
const SLOT = 64
const SHORT = new Uint8Array(10)
const LONG = new Uint8Array(4 * SLOT)
const PATIENCE = 15_000

describe('nobody starves:', function () {
  this.timeout(4 * PATIENCE)

  const workers: Worker[] = []
  let queue: ThreadSafeQueue<Uint8Array>

  function start(role: StarvationTask['role']): { ended: Promise<unknown>; told: Int32Array } {
    const told = new SharedArrayBuffer(8)
    const worker = startWorker('starvation-worker', { queue: queue.handle, role, told } satisfies StarvationTask)
    workers.push(worker)
    return { ended: finished(worker, PATIENCE), told: new Int32Array(told) }
  }

  beforeEach(() => {
    queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: SLOT })
  })

  afterEach(async () => {
    queue.close()
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  /**
   * Starts a long put in another thread that waits and has the priority token. Two short items are
   * in the queue.
   */
  async function longInWaiting(): Promise<{ ended: Promise<unknown> }> {
    queue.putSync(SHORT)
    queue.putSync(SHORT)
    const { ended, told } = start('long')
    await until('the long put', () => Atomics.load(told, BEGUN) === 1)
    await until('that it waits', () => queue.stats().waitingPuts > 0)
    // Each get wakes the long put in vain. It then takes the token, so that another put must wait.
    await until('the token', () => {
      try {
        queue.putSync(SHORT, { timeout: 1 })
      } catch (error) {
        if (error instanceof TimeoutError) return true
        throw error
      }
      queue.getSync()
      return false
    })
    return { ended }
  }

  for (const long of ['long', 'longAsync', 'longOfMany', 'longOfManyAsync'] as const) {
    for (const short of ['short', 'shortAsync', 'shortOfMany', 'shortOfManyAsync'] as const) {
      it(`${long} in one thread among ${short} in another that always find room`, async () => {
        queue.putSync(SHORT)
        queue.putSync(SHORT)
        const shorts = start(short)
        shorts.ended.catch(() => {})
        await until('short ones', () => (shorts.told[PUT] as number) > 20)
        await within('the long one', start(long).ended, PATIENCE)
        const before = shorts.told[PUT] as number
        await until('short ones afterwards', () => (shorts.told[PUT] as number) > before + 5)
      })
    }
  }

  for (const long of ['long', 'longAsync'] as const) {
    it(`${long} in one thread, while others put and get short ones as fast as they can`, async () => {
      const puts = start('put')
      for (const { ended } of [puts, start('put'), start('get')]) ended.catch(() => {})
      await until('short ones', () => (puts.told[PUT] as number) > 20)
      await within('the long one', start(long).ended, PATIENCE)
      const before = puts.told[PUT] as number
      await until('short ones afterwards', () => (puts.told[PUT] as number) > before + 5)
    })
  }

  it('long items in several threads, among each other', async () => {
    for (const role of ['get', 'put'] as const) start(role).ended.catch(() => {})
    const longs = (['long', 'longAsync', 'longOfMany', 'longOfManyAsync'] as const).map((role) => start(role).ended)
    await within('all long ones', Promise.all(longs), PATIENCE)
  })

  it('short items, while a loop that has the priority token is busy', async () => {
    const shorts = start('put')
    shorts.ended.catch(() => {})
    start('get').ended.catch(() => {})
    await until('short ones', () => (shorts.told[PUT] as number) > 20)
    const putting = queue.put(LONG)
    putting.catch(() => {})
    // The put takes the token when it has waited in vain. This loop is then kept busy.
    await new Promise((resolve) => setTimeout(resolve, 2))
    const before = Atomics.load(shorts.told, PUT)
    for (const end = performance.now() + 3000; performance.now() < end && Atomics.load(shorts.told, PUT) < before + 50;);
    assert.ok(Atomics.load(shorts.told, PUT) >= before + 50, `${Atomics.load(shorts.told, PUT) - before} short ones in 3 s`)
    await within('the long one', putting, PATIENCE)
  })

  it('a thread that puts before it gets, though a long put waits for the room that its gets make', async () => {
    const { ended } = await longInWaiting()
    queue.putSync(SHORT, { timeout: 5000 })
    for (let k = 0; k < 3; k++) assert.equal(queue.getSync().length, SHORT.length)
    await within('the long put', ended)
    assert.equal(queue.getSync().length, LONG.length)
  })

  it('a loop that puts before it gets, while a long put waits', async () => {
    const { ended } = await longInWaiting()
    await within('a put that is held back', queue.put(SHORT))
    for (let k = 0; k < 3; k++) assert.equal((await queue.get()).length, SHORT.length)
    await within('the long put', ended)
    assert.equal(queue.getSync().length, LONG.length)
  })

  it('an asynchronous long item, though its own thread blocks in puts of short ones', async () => {
    start('get').ended.catch(() => {})
    for (let k = 0; k < 3; k++) queue.putSync(SHORT)
    let inside = false
    const putting = queue.put(LONG).then(() => (inside = true))
    const end = performance.now() + PATIENCE
    while (!inside && performance.now() < end) {
      queue.putSync(SHORT, { block: true })
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    assert.ok(inside, 'the long one')
    await putting
  })

  it('an asynchronous long item, whose priority token survives a blocking put of its own thread', async () => {
    const { memory } = queue.handle as unknown as { memory: WebAssembly.Memory }
    // The word is `token` of native/core/layout.h.
    const token = (): number => Atomics.load(new Int32Array(memory.buffer), (8 * 128) / 4)
    for (let k = 0; k < 3; k++) queue.putSync(SHORT)
    const putting = queue.put(LONG)
    queue.getSync()
    await until('the token', () => token() !== 0)
    queue.putSync(SHORT, { timeout: 1000 })
    assert.notEqual(token(), 0)
    while (queue.qsize() > 0) queue.getSync()
    await within('the long put', putting)
    assert.equal(token(), 0)
  })
})
