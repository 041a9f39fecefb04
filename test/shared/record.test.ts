/** SharedRecord: its contract, in one thread and between threads. */
import { strict as assert } from 'node:assert'
import { once, setMaxListeners } from 'node:events'
import { inspect } from 'node:util'
import { record, SharedRecord, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import { WritePatience } from '../../lib/shared/versions.js'
import type { SharedTask } from '../fixtures/shared-worker.js'
import { shared } from '../fixtures/shared-values.js'
import { finished, rejection, runProcess, startWorker, threadsBlocked, thrown, loopIterations, until, within } from '../support.js'

const point = record({ x: 'float64', n: 'int32', on: 'boolean', t: 'biguint64', name: 'bytes[4]', path: 'float32[3]' })
const zero = { x: 0, n: 0, on: false, t: 0n, name: new Uint8Array(4), path: new Float32Array(3) }

const work = (task: SharedTask) => startWorker('shared-worker', task)

describe('a shared record', () => {
  it('begins with zeros, or its initial values, as version 0', () => {
    assert.deepEqual(new SharedRecord(point).readWithVersion(), { value: zero, version: 0 })
    const path = [1, 2, 3]
    const given = new SharedRecord(point, { n: 7, path })
    assert.deepEqual(given.read(), { ...zero, n: 7, path: new Float32Array(path) })
    assert.equal(given.version, 0)
    assert.deepEqual(given.stats(), { writes: 0, retries: 0 })
  })

  it('merges the fields that are written, and returns the version that each write made', () => {
    const position = new SharedRecord(point)
    assert.equal(position.write({ x: 1.5, t: 2n ** 63n }), 1)
    assert.equal(position.write({ on: true, name: Buffer.from('abcd') }), 2)
    assert.deepEqual(position.read(), { ...zero, x: 1.5, t: 2n ** 63n, on: true, name: new Uint8Array(Buffer.from('abcd')) })
    assert.equal(position.write(zero), 3)
    assert.deepEqual(position.readWithVersion(), { value: zero, version: 3 })
    assert.deepEqual(position.stats(), { writes: 3, retries: 0 })
  })

  it('writes nothing if no field is given, and ignores unknown fields', () => {
    const position = new SharedRecord(point)
    position.write({ x: 1 })
    assert.equal(position.write({}), 1)
    assert.equal(position.write({ x: undefined } as object), 1)
    assert.equal(position.write({ y: 1 } as object), 1)
    assert.equal(position.write({ y: 1, n: 2 } as object), 2)
    assert.deepEqual(position.read(), { ...zero, x: 1, n: 2 })
  })

  it("returns values that are the caller's own", () => {
    const position = new SharedRecord(point)
    const first = position.read()
    first.path[0] = 5
    first.x = 5
    assert.deepEqual(position.read(), zero)
  })

  it('checks every field before it writes any', () => {
    const position = new SharedRecord(point)
    for (const [fields, name, code] of [
      [{ x: 1, n: '2' }, 'fields.n', 'ERR_INVALID_ARG_TYPE'],
      [{ x: 1, t: 2 }, 'fields.t', 'ERR_INVALID_ARG_TYPE'],
      [{ x: 1, on: null }, 'fields.on', 'ERR_INVALID_ARG_TYPE'],
      [{ x: 1, path: [1, 2] }, 'fields.path', 'ERR_INVALID_ARG_VALUE'],
      [null, 'fields', 'ERR_INVALID_ARG_TYPE'],
      [undefined, 'fields', 'ERR_INVALID_ARG_TYPE'],
      [5, 'fields', 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      const error = thrown(() => position.write(fields as never)) as NodeJS.ErrnoException
      assert.ok(error instanceof TypeError)
      assert.equal(error.code, code, error.message)
      assert.match(error.message, new RegExp(`"${name}"`))
    }
    const own = new Error('of the getter')
    const getter = {
      x: 1,
      get path(): never {
        position.write({ n: 9 })
        throw own
      },
    }
    assert.equal(
      thrown(() => position.write(getter)),
      own,
    )
    assert.deepEqual(position.readWithVersion(), { value: { ...zero, n: 9 }, version: 1 })
  })

  it('refuses an array that the getter of another field has shortened or taken away', () => {
    const type = record({ path: 'float32[3]', on: 'boolean' })
    const position = new SharedRecord(type, { path: [1, 2, 3] })
    const queue = new ThreadSafeQueue(2, { type })
    const taken = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] })
    const shortened = (buffer: ArrayBuffer) => (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(4)
    for (const spoil of [taken, shortened]) {
      for (const put of [(fields: { path: Float32Array; on: boolean }) => position.write(fields), queue.putSync.bind(queue)]) {
        const buffer = new (ArrayBuffer as new (bytes: number, options: object) => ArrayBuffer)(12, { maxByteLength: 12 })
        const error = thrown(() =>
          put({
            path: new Float32Array(buffer),
            get on() {
              spoil(buffer)
              return true
            },
          }),
        ) as NodeJS.ErrnoException
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE')
        assert.match(error.message, /path" must be 3 elements of float32/)
      }
    }
    assert.deepEqual(position.readWithVersion(), { value: { path: Float32Array.of(1, 2, 3), on: false }, version: 0 })
    assert.equal(queue.qsize(), 0)
  })

  it('refuses wrong record types and initial values', () => {
    for (const type of [undefined, null, 'float64', {}, { x: 'float64' }, point.fields]) {
      const error = thrown(() => new SharedRecord(type as never)) as NodeJS.ErrnoException
      assert.equal(error.code, 'ERR_INVALID_ARG_TYPE')
      assert.match(error.message, /"type" .*record\(/)
    }
    assert.match((thrown(() => new SharedRecord(point, { x: '1' } as never)) as Error).message, /"initial\.x"/)
    assert.match((thrown(() => new SharedRecord(point, 5 as never)) as Error).message, /"initial"/)
  })

  describe('update()', () => {
    it('writes the fields that the function returns, and nothing if it throws or returns nothing', () => {
      const position = new SharedRecord(point, { x: 1 })
      assert.equal(
        position.update(({ x, n }) => ({ x: x + 1, n: n - 1 })),
        1,
      )
      assert.deepEqual(position.read(), { ...zero, x: 2, n: -1 })
      const own = new Error('mine')
      assert.equal(
        thrown(() =>
          position.update(() => {
            throw own
          }),
        ),
        own,
      )
      assert.equal(
        position.update(() => ({})),
        1,
      )
      assert.match((thrown(() => position.update(() => ({ x: 5, n: 'no' }) as never)) as Error).message, /"fields\.n"/)
      assert.match((thrown(() => position.update((() => Promise.resolve({ x: 5 })) as never)) as Error).message, /not a promise/)
      assert.match((thrown(() => position.update(5 as never)) as Error).message, /"fn" .*a function/)
      assert.equal(position.version, 1)
    })

    it('runs the function again if the record was written meanwhile, even by the function itself', () => {
      const position = new SharedRecord(point)
      const seen: number[] = []
      assert.equal(
        position.update(({ x }) => {
          seen.push(x)
          if (x < 3) position.write({ x: x + 1 })
          return { n: x }
        }),
        4,
      )
      assert.deepEqual(seen, [0, 1, 2, 3])
      assert.deepEqual(position.read(), { ...zero, x: 3, n: 3 })
      const error = thrown(() =>
        position.update(({ x }) => {
          position.write({ x: x + 1 })
          return { n: x }
        }),
      ) as NodeJS.ErrnoException
      assert.equal(error.code, 'ERR_UPDATE_WRITES')
    })

    it('runs the function once if it returns nothing, whoever writes meanwhile', () => {
      const position = new SharedRecord(point)
      let runs = 0
      const version = position.update(({ x }) => {
        runs++
        position.write({ x: x + 1 })
        return {}
      })
      assert.deepEqual([runs, version, position.version], [1, 0, 1])
    })

    it('may read and update the record inside', () => {
      const position = new SharedRecord(point)
      let nested = false
      position.update(({ x }) => {
        if (!nested) {
          nested = true
          position.update((inner) => ({ x: inner.x + 10 }))
        }
        assert.equal(position.read().on, false)
        return { x: x + 1 }
      })
      assert.equal(position.read().x, 11)
    })

    it('loses no change made by four threads', async function () {
      this.timeout(60_000)
      const counter = new SharedRecord(record({ count: 'float64' }))
      const times = 20_000
      const workers = Array.from({ length: 3 }, () => work({ does: 'add', record: counter.handle, times }))
      for (let k = 0; k < times; k++) {
        counter.update(({ count }) => ({ count: count + 1 }))
        if (k % 1000 === 0) await loopIterations(1)
      }
      await Promise.all(workers.map((worker) => finished(worker)))
      assert.deepEqual(counter.readWithVersion(), { value: { count: 4 * times }, version: 4 * times })
    })
  })

  describe('wait()', () => {
    it('resolves at once if there is a later version, else with the next write', async () => {
      const position = new SharedRecord(point)
      position.write({ x: 1 })
      assert.equal(await position.wait(0), 1)
      assert.equal(await position.wait(0, { timeout: 0 }), 1)
      const next = position.wait(1)
      position.write({ x: 2 })
      assert.equal(await within('the write', next), 2)
    })

    it('serves each call when its version has passed, whatever the order of the calls', async () => {
      const position = new SharedRecord(point)
      const served: number[] = []
      const waits = [5, 0, 3, 1, 4, 2, 0].map((since) => position.wait(since).then(() => served.push(since)))
      for (let k = 1; k <= 6; k++) {
        position.write({ n: k })
        await until(`those before ${k}`, () => served.length === k + 1)
        assert.ok(served.every((since) => since < k))
      }
      await Promise.all(waits)
    })

    it('times out or is aborted, and is then no longer served', async () => {
      const position = new SharedRecord(point)
      assert.ok((await rejection(position.wait(0, { timeout: 5 }))) instanceof TimeoutError)
      assert.ok((await rejection(position.wait(0, { timeout: 0 }))) instanceof TimeoutError)
      const controller = new AbortController()
      const reason = new Error('enough')
      const wait = position.wait(0, { signal: controller.signal })
      controller.abort(reason)
      assert.equal(await rejection(wait), reason)
      assert.equal(await rejection(position.wait(0, { signal: controller.signal })), reason)
      position.write({ x: 1 })
      // The call need not wait, and rejects nonetheless.
      assert.equal(await rejection(position.wait(0, { signal: controller.signal })), reason)
    })

    it('checks the options, then the signal, then the version', async () => {
      const position = new SharedRecord(point)
      const aborted = AbortSignal.abort(new Error('aborted'))
      for (const [since, code] of [
        ['0', 'ERR_INVALID_ARG_TYPE'],
        [undefined, 'ERR_INVALID_ARG_TYPE'],
        [-1, 'ERR_OUT_OF_RANGE'],
        [0.5, 'ERR_OUT_OF_RANGE'],
        [NaN, 'ERR_OUT_OF_RANGE'],
      ] as const) {
        const bad = since as never
        const error = (await rejection(position.wait(bad, { timeout: 1 }))) as NodeJS.ErrnoException
        assert.equal(error.code, code)
        assert.match(error.message, /sinceVersion/)
        assert.equal((thrown(() => position.waitSync(bad)) as NodeJS.ErrnoException).code, code)
        assert.equal(await rejection(position.wait(bad, { signal: aborted })), aborted.reason)
        assert.match(((await rejection(position.wait(bad, { timeout: -1, signal: aborted }))) as Error).message, /options\.timeout/)
        assert.match((thrown(() => position.waitSync(bad, { timeout: NaN })) as Error).message, /options\.timeout/)
      }
      assert.equal(await rejection(position.wait(0, { signal: aborted })), aborted.reason)
    })

    it('costs as much beside 20,000 waiting calls as beside none', async function () {
      this.timeout(60_000)
      const time = async (position: SharedRecord<{ n: number }>): Promise<number> => {
        const start = performance.now()
        for (let k = 0; k < 2000; k++) await rejection(position.wait(0, { timeout: 0 }))
        const abort = new AbortController()
        setMaxListeners(0, abort.signal)
        const waits = Array.from({ length: 2000 }, () => position.wait(0, { signal: abort.signal }).catch(() => 0))
        abort.abort()
        await Promise.all(waits)
        return performance.now() - start
      }
      const few = new SharedRecord(record({ n: 'int32' }))
      const many = new SharedRecord(record({ n: 'int32' }))
      const patient = new SharedRecord(record({ n: 'int32' }))
      const held = Array.from({ length: 20_000 }, () => many.wait(0))
      held.push(...Array.from({ length: 20_000 }, () => patient.wait(3)))
      const costs = { few: Infinity, many: Infinity, patient: Infinity }
      for (let round = 0; round < 3; round++) {
        costs.few = Math.min(costs.few, await time(few))
        costs.many = Math.min(costs.many, await time(many))
        costs.patient = Math.min(costs.patient, await time(patient))
      }
      assert.ok(costs.many < 5 * costs.few && costs.patient < 5 * costs.few, JSON.stringify(costs))
      many.write({ n: 1 })
      for (let n = 0; n < 4; n++) patient.write({ n })
      await within('all of them', Promise.all(held))
    })

    it('can block a thread until another writes', async () => {
      const position = new SharedRecord(shared)
      assert.ok(thrown(() => position.waitSync(0, { timeout: 5 })) instanceof TimeoutError)
      assert.ok(thrown(() => position.waitSync(0, { timeout: 0 })) instanceof TimeoutError)
      const worker = work({ does: 'block', record: position.handle })
      assert.deepEqual(await once(worker, 'message'), ['blocks'])
      await until('a thread that is blocked', () => threadsBlocked(position) === 1)
      const woken = once(worker, 'message')
      position.write({ spare: 0 })
      assert.deepEqual(await within('the worker', woken), [1])
      await finished(worker)
      assert.equal(position.waitSync(0), 1)
    })

    it('that blocks ends when its worker is terminated', async () => {
      const position = new SharedRecord(shared)
      const worker = work({ does: 'block', record: position.handle })
      await until('a thread that is blocked', () => threadsBlocked(position) === 1)
      await within('the end of the worker', worker.terminate())
      assert.equal(threadsBlocked(position), 0)
    })
  })

  describe('for await', () => {
    it('begins with the next write, and gives the newest value each time', async () => {
      const position = new SharedRecord(point)
      position.write({ n: 1 })
      const iterator = position[Symbol.asyncIterator]()
      const first = iterator.next()
      position.write({ n: 2 })
      assert.equal((await within('the write', first)).value.n, 2)
      position.write({ n: 3 })
      position.write({ n: 4 })
      assert.equal((await iterator.next()).value.n, 4)
      const none = iterator.next()
      assert.equal(await Promise.race([none, loopIterations().then(() => 'nothing')]), 'nothing')
      assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
      assert.deepEqual(await none, { value: undefined, done: true })
      assert.deepEqual(await iterator.next(), { value: undefined, done: true })
      assert.equal(iterator[Symbol.asyncIterator](), iterator)
    })

    it('gives no value to two calls of next(), and ends with throw()', async () => {
      const position = new SharedRecord(point)
      const iterator = position[Symbol.asyncIterator]()
      const three = [iterator.next(), iterator.next(), iterator.next()]
      for (let n = 1; n <= 3; n++) {
        position.write({ n })
        assert.equal((await within(`write ${n}`, three[n - 1] as (typeof three)[0])).value.n, n)
      }
      const pending = iterator.next()
      const reason = new Error('mine')
      assert.equal(await rejection(iterator.throw?.(reason) as Promise<unknown>), reason)
      assert.deepEqual(await within('the end', pending), { value: undefined, done: true })
    })

    it('lets the loop do other work beside a writer that never pauses', async () => {
      const position = new SharedRecord(shared)
      const worker = work({ does: 'write without end', record: position.handle })
      await once(worker, 'message')
      let ticks = 0
      const ticking = setInterval(() => ticks++, 1)
      const end = performance.now() + 200
      for await (const { c, a, b } of position) {
        assert.equal(c, a + b)
        if (ticks >= 10 || performance.now() > end + 5000) break
      }
      clearInterval(ticking)
      await worker.terminate()
      assert.ok(ticks >= 10, `${ticks} ticks`)
    })
  })

  it('reports damaged memory if it can not write for long, and nobody else does', () => {
    const began = performance.now()
    // Another write precedes each try.
    const patience = new WritePatience(50)
    for (let version = 0; performance.now() < began + 200; version++) patience.pause(version)
    // Nobody else writes any more.
    const error = thrown(() => {
      while (performance.now() < began + 10_000) patience.pause(1e9)
    })
    assert.equal((error as NodeJS.ErrnoException).code, 'ERR_DAMAGED_MEMORY')
  })

  it('is the same through every object that is made of its handle', async () => {
    const position = new SharedRecord(point)
    const other = SharedRecord.from(position.handle)
    const third = SharedRecord.from(structuredClone(position.handle))
    const waits = [position.wait(0), other.wait(0), third.wait(0)]
    other.write({ n: 5 })
    assert.equal(position.read().n, 5)
    assert.deepEqual(await within('all of them', Promise.all(waits)), [1, 1, 1])
    assert.equal(position.ref(), position)
    assert.equal(position.unref(), position)
  })

  it('refuses handles of other classes', () => {
    const { handle } = new SharedRecord(point)
    for (const wrong of [undefined, {}, new ThreadSafeQueue(1).handle, new ThreadSafeEvent().handle, new SharedRecord(point)]) {
      assert.equal((thrown(() => SharedRecord.from(wrong as never)) as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
    }
    assert.match((thrown(() => SharedRecord.from(new SharedRecord(point) as never)) as Error).message, /pass its \.handle/)
    const forged = { ...handle, version: 1 }
    assert.equal((thrown(() => SharedRecord.from(forged)) as NodeJS.ErrnoException).code, 'ERR_INCOMPATIBLE_HANDLE')
    for (const type of ['float64', 'any', undefined]) {
      const other = { ...handle, type }
      assert.equal((thrown(() => SharedRecord.from(other)) as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
    }
    const larger = { ...handle, type: { record: { x: 'float64' } } }
    assert.equal((thrown(() => SharedRecord.from(larger)) as NodeJS.ErrnoException).code, 'ERR_INCOMPATIBLE_HANDLE')
  })

  it("may be too long for a staging area, and for the thread's buffer", () => {
    for (const bytes of [8176, 8177, 20_000, 65_528, 65_536, 1_000_000]) {
      const large = new SharedRecord(record({ data: `bytes[${bytes}]`, n: 'uint8' }))
      large.write({ n: 1 })
      large.write({ data: new Uint8Array(bytes).fill(7) })
      const { data, n } = large.read()
      assert.equal(n, 1)
      assert.equal(data.length, bytes)
      assert.ok(data.every((byte) => byte === 7))
      assert.equal(large.version, 2)
    }
  })

  it('refuses a type of more bytes than memory can have', () => {
    for (const make of [
      () => new SharedRecord(record({ a: `bytes[${2 ** 29}]` })),
      () => new SharedRecord(record({ a: `bytes[${2 ** 32 - 1}]` })),
      // 2^32 bytes, and 8 more: as 32-bit numbers these are 0 and 8.
      () => new SharedRecord(record({ a: `float64[${2 ** 29}]` })),
      () => new SharedRecord(record({ a: `float64[${2 ** 29}]`, b: 'float64' })),
    ]) {
      const error = thrown(make) as NodeJS.ErrnoException
      assert.deepEqual([error.name, error.code], ['RangeError', 'ERR_OUT_OF_RANGE'])
      assert.match(error.message, /"type"/)
    }
  })

  it('shows its value in util.inspect()', () => {
    const position = new SharedRecord(record({ x: 'float64' }), { x: 1.5 })
    assert.equal(inspect(position), 'SharedRecord { version: 0, value: { x: 1.5 } }')
  })

  it('whose memory was overwritten throws or returns something, and goes on', function () {
    this.timeout(30_000)
    const current = (native.lists.changed - 256) / 4
    const [free, buffers] = [current + 32, current + 4 * 32]
    // The words of the first two buffers are stamp, length and content.
    const places = [current, current + 1, free, free + 1, free + 2, ...[0, 1, 2, 3, 4, 32, 33, 34, 35].map((word) => buffers + word)]
    for (const at of places) {
      for (const value of [0, 1, 0x7f, 0x7fffffff, -1]) {
        // No buffer is free here, so the write would wait for one, then throw.
        if (at === free && value === 0) continue
        const position = new SharedRecord(record({ x: 'float64', y: 'float64' }))
        position.write({ x: 1 })
        const words = new Int32Array((position.handle as unknown as { memory: WebAssembly.Memory }).memory.buffer)
        words[at] = value
        for (const call of [
          () => position.read(),
          () => position.write({ y: 2 }),
          () => position.update(({ y }) => ({ y: y + 1 })),
          () => position.stats(),
        ]) {
          try {
            call()
          } catch (error) {
            assert.ok(error instanceof Error, String(error))
            assert.ok(
              (error as NodeJS.ErrnoException).code === 'ERR_DAMAGED_MEMORY' || error instanceof WebAssembly.RuntimeError,
              error.stack,
            )
          }
        }
      }
    }
  })

  it('leaves nothing in memory when it is dropped', async function () {
    this.timeout(60_000)
    const { code, stdout, stderr } = await runProcess('memory-process', ['shared', '8000'], 60_000, ['--expose-gc'])
    assert.equal(code, 0, stderr)
    const [, ...sizes] = stdout.trim().split('\n').map(Number)
    const [first, last] = [sizes[2] as number, sizes.at(-1) as number]
    assert.ok(last < first * 1.25, stdout)
  })
})
