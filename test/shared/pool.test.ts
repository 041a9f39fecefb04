/** Buffers are lent, passed on and given back, in one thread and between threads. */
import { strict as assert } from 'node:assert'
import { inspect } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { BufferPool, type Lease, Lock, PoolEmptyError, ThreadSafeError, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import { lendMany, type PoolTask } from '../fixtures/pool-worker.js'
import { finished, loopIterations, rejection, runProcess, startWorker, thrown, until, within } from '../support.js'

/** Releases are tested with `POOL_LENDS=1000000 POOL_KILLS=500 POOL_OBJECTS=100000`. */
const LENDS = Number(process.env.POOL_LENDS ?? 40_000)
const KILLS = Number(process.env.POOL_KILLS ?? 10)
const OBJECTS = Number(process.env.POOL_OBJECTS ?? 10_000)

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

function assertEnded(call: () => unknown): void {
  const error = thrown(call)
  assert.ok(error instanceof RangeError, String(error))
  assert.equal(codeOf(error), 'ERR_LEASE_ENDED')
}

function start(
  pool: BufferPool<Uint32Array>,
  tokens: ThreadSafeQueue<number, Uint32Array>,
  task: Omit<PoolTask, 'handle' | 'tokens'>,
): Worker {
  return startWorker('pool-worker', { ...task, handle: pool.handle, tokens: tokens.handle })
}

describe('a pool of buffers', () => {
  it('lends each buffer to one at a time, and none when all are lent', () => {
    for (const count of [1, 2, 31, 32, 33, 64, 100]) {
      const pool = new BufferPool(count, 'uint16[5]')
      assert.deepEqual(pool.stats(), { free: count, lent: 0, passed: 0 })
      const leases = Array.from({ length: count }, () => pool.tryLend() as Lease<Uint16Array>)
      assert.equal(new Set(leases.map(({ data }) => data.byteOffset)).size, count)
      for (const { data } of leases) assert.ok(data instanceof Uint16Array && data.length === 5 && data.byteOffset % 128 === 0)
      assert.equal(pool.tryLend(), undefined)
      assert.deepEqual(pool.stats(), { free: 0, lent: count, passed: 0 })
      const error = thrown(() => pool.lendSync())
      assert.ok(error instanceof PoolEmptyError && error instanceof ThreadSafeError)
      assert.equal(error.code, 'ERR_POOL_EMPTY')
      // The order of the releases does not matter.
      for (const k of [count - 1, ...Array.from({ length: count - 1 }, (_, n) => n)]) (leases[k] as Lease<Uint16Array>).release()
      assert.deepEqual(pool.stats(), { free: count, lent: 0, passed: 0 })
    }
  })

  it('has data of its type', () => {
    const cases = [
      ['int8[3]', Int8Array],
      ['float64[1]', Float64Array],
      ['biguint64[2]', BigUint64Array],
      ['bytes[300]', Uint8Array],
    ] as const
    for (const [type, array] of cases) {
      const { data } = new BufferPool(2, type).lendSync()
      assert.equal(Object.getPrototypeOf(data), array.prototype)
      assert.equal(data.length, Number(/\d+(?=\])/.exec(type)?.[0]))
      assert.ok(data.buffer instanceof SharedArrayBuffer)
    }
  })

  it('passes a buffer on by a token, which can be used once', () => {
    const pool = new BufferPool(2, 'uint32[4]')
    const lease = pool.lendSync()
    lease.data.set([1, 2, 3, 4])
    const token = lease.pass()
    assert.ok(Number.isInteger(token) && token >= 0 && token < 2 ** 32)
    assert.deepEqual(pool.stats(), { free: 1, lent: 0, passed: 1 })
    const taken = BufferPool.from(structuredClone(pool.handle)).take(token)
    assert.deepEqual([...taken.data], [1, 2, 3, 4])
    assertEnded(() => pool.take(token))
    const again = taken.pass()
    assert.notEqual(again, token)
    assertEnded(() => pool.take(token))
    pool.take(again).release()
    for (const old of [token, again]) assertEnded(() => pool.take(old))
    assert.deepEqual(pool.stats(), { free: 2, lent: 0, passed: 0 })
  })

  it('has no token that can be used twice, however often a buffer is passed on', () => {
    const pool = new BufferPool(1, 'uint8[1]')
    const seen = new Set<number>()
    for (let k = 0; k < 20_000; k++) {
      const token = pool.lendSync().pass()
      assert.ok(!seen.has(token))
      seen.add(token)
      pool.take(token).release()
    }
    for (const token of [...seen].slice(0, 1000)) assertEnded(() => pool.take(token))
  })

  it('takes no token of another pool', () => {
    for (let k = 0; k < 100; k++) {
      const [one, other] = [new BufferPool(4, 'uint8[8]'), new BufferPool(4, 'uint8[8]')]
      const [token] = [one.lendSync().pass(), other.lendSync().pass()]
      assertEnded(() => other.take(token))
      one.take(token).release()
    }
  })

  it('refuses to use a lease that has ended, and disposing of it does nothing', () => {
    const pool = new BufferPool(1, 'uint8[8]')
    const released = pool.lendSync()
    released.release()
    const passed = pool.lendSync()
    const token = passed.pass()
    const lease = pool.take(token)
    for (const one of [released, passed]) {
      assertEnded(() => one.data)
      assertEnded(() => one.pass())
      assertEnded(() => one.release())
      one[Symbol.dispose]()
    }
    assert.deepEqual(pool.stats(), { free: 0, lent: 1, passed: 0 })
    lease[Symbol.dispose]()
    assert.deepEqual(pool.stats(), { free: 1, lent: 0, passed: 0 })
  })

  it('refuses wrong arguments', async () => {
    const pool = new BufferPool(1, 'uint8[8]')
    for (const count of [0, -1, 1.5, NaN, 65_537]) assert.equal(codeOf(thrown(() => new BufferPool(count, 'uint8[8]'))), 'ERR_OUT_OF_RANGE')
    assert.equal(codeOf(thrown(() => new BufferPool('4' as never, 'uint8[8]'))), 'ERR_INVALID_ARG_TYPE')
    assert.equal(codeOf(thrown(() => new BufferPool(65_536, 'bytes[65536]'))), 'ERR_OUT_OF_RANGE')
    assert.equal(codeOf(thrown(() => new BufferPool(1, 'float64[4294967295]'))), 'ERR_OUT_OF_RANGE')
    for (const type of ['uint8', 'bytes', 'boolean[3]', 'float32[0]', 'any', undefined, {}]) {
      assert.equal(codeOf(thrown(() => new BufferPool(1, type as never))), 'ERR_INVALID_ARG_VALUE')
    }
    assert.equal(codeOf(thrown(() => pool.take('1' as never))), 'ERR_INVALID_ARG_TYPE')
    for (const token of [-1, 0.5, 2 ** 32, NaN]) assert.equal(codeOf(thrown(() => pool.take(token))), 'ERR_OUT_OF_RANGE')
    assert.equal(codeOf(thrown(() => pool.lendSync({ timeout: -1 }))), 'ERR_OUT_OF_RANGE')
    assert.equal(codeOf(await rejection(pool.lend({ timeout: -1 }))), 'ERR_OUT_OF_RANGE')
    for (const wrong of [undefined, {}, new Lock().handle])
      assert.equal(codeOf(thrown(() => BufferPool.from(wrong as never))), 'ERR_INVALID_ARG_TYPE')
    assert.match(String(thrown(() => BufferPool.from(pool as never))), /pass its \.handle/)
    for (const forged of [
      { type: 'uint8[9]' },
      { version: 1 },
      { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) },
    ]) {
      assert.equal(codeOf(thrown(() => BufferPool.from({ ...pool.handle, ...forged } as never))), 'ERR_INCOMPATIBLE_HANDLE')
    }
    assert.equal(pool.stats().free, 1)
  })

  it('shows the compiler the type of its data', () => {
    const samples: Lease<Float32Array> = new BufferPool(1, 'float32[4]').lendSync()
    const named: BufferPool<BigInt64Array> = new BufferPool<BigInt64Array>(1, 'bigint64[2]')
    const again: Lease<BigInt64Array> = BufferPool.from(named.handle).lendSync()
    // @ts-expect-error it is of Float32Array
    assert.throws(() => new BufferPool<Float64Array>(0, 'float32[4]')) // prettier-ignore
    // @ts-expect-error no type of an array
    assert.throws(() => new BufferPool(1, 'float32'))
    // @ts-expect-error that is no handle
    assert.throws(() => BufferPool.from({}))
    assert.deepEqual([samples.data.length, again.data.length], [4, 2])
  })

  it('shows its state in util.inspect()', () => {
    const pool = new BufferPool(2, 'uint8[8]')
    pool.lendSync()
    assert.equal(inspect(pool), "BufferPool { count: 2, type: 'uint8[8]', free: 1, lent: 1, passed: 0 }")
    assert.equal(pool.ref(), pool)
    assert.equal(pool.unref(), pool)
  })
})

describe('waiting for a buffer', () => {
  it('in one thread serves the calls in their order', async () => {
    const pool = new BufferPool(2, 'uint8[8]')
    const leases = [pool.lendSync(), pool.lendSync()]
    const order: number[] = []
    const waits = Array.from({ length: 6 }, (_, k) =>
      pool.lend().then((lease) => {
        order.push(k)
        lease.release()
      }),
    )
    assert.ok((await rejection(pool.lend({ timeout: 0 }))) instanceof TimeoutError)
    assert.ok((await rejection(pool.lend({ timeout: 5 }))) instanceof TimeoutError)
    const reason = new Error('why')
    assert.equal(await rejection(pool.lend({ signal: AbortSignal.abort(reason) })), reason)
    const controller = new AbortController()
    const cancelled = pool.lend({ signal: controller.signal })
    controller.abort(reason)
    assert.equal(await rejection(cancelled), reason)
    for (const lease of leases) lease.release()
    await within('all of them', Promise.all(waits))
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5])
    assert.deepEqual(pool.stats(), { free: 2, lent: 0, passed: 0 })
  })

  it('blocks as long as the timeout says', () => {
    const pool = new BufferPool(1, 'uint8[8]')
    pool.lendSync()
    for (const timeout of [0, 1, 20]) {
      const begin = performance.now()
      assert.ok(thrown(() => pool.lendSync({ timeout })) instanceof TimeoutError)
      assert.ok(performance.now() - begin >= timeout - 1)
    }
    assert.ok(thrown(() => pool.lendSync({ block: false, timeout: 5 })) instanceof PoolEmptyError)
  })

  it('keeps the process alive while a call is pending, unless unref() is called; a lease does not', async () => {
    for (const [how, expected] of [
      ['held', 'end\n'],
      ['unref', 'end\n'],
      ['pending', 'lent\nend\n'],
    ] as const) {
      // prettier-ignore
      const { code, stdout } = await runProcess('pool-process', [how])
      assert.deepEqual([code, stdout], [0, expected])
    }
  })
})

describe('a pool between threads', function () {
  this.timeout(120_000 + KILLS * 1000)

  it(`lends a buffer to nobody else until it is back: 4 threads, ${LENDS} lends`, async () => {
    const pool = new BufferPool(5, 'uint32[16]')
    const tokens = new ThreadSafeQueue(4, { type: 'uint32' })
    const state = new Int32Array(new SharedArrayBuffer(16))
    const task = { task: 'lend', state, count: LENDS / 4 } as const
    const workers = [1, 2, 3].map((seed) => start(pool, tokens, { ...task, seed }))
    await lendMany(pool, tokens, { ...task, seed: 4, handle: pool.handle, tokens: tokens.handle })
    await Promise.all(workers.map((worker) => finished(worker, 110_000)))
    assert.equal(state[1], 0, 'buffers that were found changed')
    assert.ok((state[2] as number) > LENDS / 2)
    for (let token = tokens.tryGet(); token !== undefined; token = tokens.tryGet()) pool.take(token).release()
    assert.deepEqual(pool.stats(), { free: 5, lent: 0, passed: 0 })
  })

  it(`gets back the leases of a thread that is killed, but not what it has passed on: ${KILLS} times`, async () => {
    const pool = new BufferPool(70, 'uint32[16]')
    const tokens = new ThreadSafeQueue(1000, { type: 'uint32' })
    const state = new Int32Array(new SharedArrayBuffer(16))
    const seen = new Set<number>()
    for (let k = 0; k < KILLS; k++) {
      state.fill(0)
      const worker = start(pool, tokens, { task: 'give', state, count: 3 + (k % 60), seed: k })
      await until('the worker to hold its leases', () => Atomics.load(state, 0) === 1)
      assert.ok(pool.stats().lent >= 3)
      const all = k % 5 === 0 ? pool.stats().free : 0
      const mine = Array.from({ length: all }, () => pool.tryLend()).filter((lease) => lease !== undefined)
      const waiting = all > 0 ? pool.lend() : undefined
      await worker.terminate()
      if (waiting) (await within('a buffer of the dead', waiting)).release()
      for (const lease of mine) lease.release()
      await until('its leases', () => pool.stats().lent === 0, 2000)
      const token = tokens.getSync()
      assert.ok(!seen.has(token))
      seen.add(token)
      assert.deepEqual(pool.stats(), { free: 69, lent: 0, passed: 1 })
      pool.take(token).release()
      assert.deepEqual(pool.stats(), { free: 70, lent: 0, passed: 0 })
    }
    for (const token of seen) assertEnded(() => pool.take(token))
  })

  it('wakes a thread that blocks, and a loop, for each buffer that comes back', async () => {
    const pool = new BufferPool(2, 'uint32[16]')
    const tokens = new ThreadSafeQueue(4, { type: 'uint32' })
    const state = new Int32Array(new SharedArrayBuffer(16))
    const mine = [pool.lendSync(), pool.lendSync()]
    const workers = [1, 2].map((seed) => start(pool, tokens, { task: 'lend', state, count: 50, seed }))
    const waiting = pool.lend()
    await loopIterations(5)
    for (const lease of mine) lease.release()
    ;(await within('a buffer for the loop', waiting)).release()
    await Promise.all(workers.map((worker) => finished(worker)))
  })

  it(`memory stays as it is while ${OBJECTS} are created, used and dropped`, async () => {
    const { code, stdout, stderr } = await runProcess('memory-process', ['pools', String(OBJECTS)], 100_000, ['--max-semi-space-size=8'])
    assert.equal(code, 0, stderr)
    const sizes = stdout.trim().split('\n').map((line) => Number(line) / 1e6) // prettier-ignore
    assert.equal(sizes.length, 10)
    assert.ok(Math.min(...sizes.slice(-2)) < Math.max(...sizes.slice(1, 3)) + 20, `resident, in MB: ${sizes.map(Math.round).join(', ')}`)
  })

  it('overwritten memory leads to an error, never to a crash', () => {
    const first = (native.lists.poolWaiters - 128) / 4
    const VALUES = [0, 1, 5, 32, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]
    const words = [
      ...Array.from({ length: 16 }, (_, k) => first + k),
      ...[32, 33, 64].map((k) => first + k),
      ...[96, 97, 98, 99, 128, 129, 130, 131].map((k) => first + k),
    ]
    let errors = 0
    for (const word of words) {
      for (const value of VALUES) {
        const pool = new BufferPool(40, 'uint32[16]')
        const { memory } = pool.handle as unknown as { memory: WebAssembly.Memory }
        const lease = pool.lendSync()
        new Uint32Array(memory.buffer)[word] = value
        const calls = [
          () => lease.data.fill(1),
          () => pool.tryLend()?.data.fill(1),
          () => pool.take(lease.pass()).release(),
          () => pool.stats(),
          () => pool.lendSync({ timeout: 1 }).data.fill(1),
          () => pool.take(0),
        ]
        for (const call of calls) {
          try {
            call()
          } catch (error) {
            assert.ok(error instanceof Error)
            errors++
          }
        }
      }
    }
    assert.ok(errors > 0)
  })
})
