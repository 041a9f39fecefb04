/**
 * Blocks of numbers, which go through WebAssembly piece by piece by way of the thread's staging
 * area, and the caller's arrays that receive them.
 */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { createContext, Script } from 'node:vm'
import type { Worker } from 'node:worker_threads'
import { blockConstructor } from '../../lib/codec/block.js'
import { type NumericType, QueueClosedError, QueueEmptyError, record, ThreadSafeQueue } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import { resizable } from '../codec/clone-values.js'
import { finished, random, rejection, repetitions, startWorker, thrown, until, within } from '../support.js'

const TYPES: readonly NumericType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'bigint64', 'biguint64', 'float32', 'float64']

/** Makes numbers of every magnitude of that type, the smallest and largest included. */
function numbersOf(type: NumericType, count: number): NodeJS.TypedArray {
  const bytes = new Uint8Array(count * 8)
  const next = random(count)
  for (let k = 0; k < bytes.length; k++) bytes[k] = next() < 0.1 ? 255 : next() * 256
  // NaN is left out, as its payload is not kept.
  const all = new (blockConstructor(type))(bytes.buffer, 0, count)
  return all.map(((value: number | bigint) => (Number.isNaN(value) ? 1 : value)) as never) as NodeJS.TypedArray
}

function counting(length: number, first = 0): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length }, (_, k) => first + k)
}

/**
 * Gets what is there. Items that are claimed but not published are counted by qsize(), and can't be
 * got.
 */
function takeWhatIsThere(queue: ThreadSafeQueue<number, Float64Array>): Float64Array {
  try {
    return queue.getManySync(100)
  } catch (error) {
    if (error instanceof QueueEmptyError) return new Float64Array(0)
    throw error
  }
}

/** The first number of the second producer. */
const SECOND = 1e9

const workers: Worker[] = []

describe('blocks', function () {
  this.timeout(60_000)

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  for (const type of TYPES) {
    it(`of ${type} of any length come out as they went in, across the end of the ring`, () => {
      const queue = new ThreadSafeQueue(3001, { type: type as 'float64' })
      const all = numbersOf(type, 3001)
      const into = new (blockConstructor(type))(3001) as Float64Array
      for (const length of [1, 2, 3, 4, 5, 31, 32, 33, 127, 255, 256, 257, 511, 512, 513, 1000, 2049, 3001]) {
        const block = all.subarray(0, length) as Float64Array
        assert.equal(queue.putManySync(block), length)
        assert.deepEqual(queue.getManySync(length), block.slice())
        queue.putManySync(block)
        const filled = queue.getManySync(9999, { into })
        assert.deepEqual(filled.slice(), block.slice())
        assert.equal(filled.buffer, into.buffer)
      }
      assert.equal(queue.qsize(), 0)
    })
  }

  it('go in as far as there is room, and come out as far as there are items', () => {
    const queue = new ThreadSafeQueue(1000, { type: 'float64' })
    assert.equal(queue.putManySync(counting(1500)), 1000)
    assert.equal(queue.putManySync(counting(1)), 0)
    assert.deepEqual(queue.getManySync(600), counting(600))
    assert.equal(queue.putManySync(counting(1500, 1000)), 600)
    assert.deepEqual(queue.getManySync(5000), counting(1000, 600))
  })

  it('and single items share one queue', () => {
    const queue = new ThreadSafeQueue(100, { type: 'int16' })
    queue.putSync(1)
    queue.putManySync(Int16Array.of(2, 3, 4))
    queue.putSync(5)
    assert.equal(queue.getSync(), 1)
    assert.deepEqual(queue.getManySync(3), Int16Array.of(2, 3, 4))
    assert.equal(queue.peek(), 5)
    assert.equal(queue.getSync(), 5)
    const { puts, gets, depth } = queue.stats()
    assert.deepEqual({ puts, gets, depth }, { puts: 5, gets: 5, depth: 0 })
  })

  describe('into an array of the caller', () => {
    it('come as that array if they fill it, else as a view of its beginning', () => {
      const queue = new ThreadSafeQueue(10, { type: 'float32' })
      const into = new Float32Array(4)
      queue.putManySync([1, 2, 3, 4, 5])
      assert.equal(queue.getManySync(10, { into }), into)
      assert.deepEqual(into, Float32Array.of(1, 2, 3, 4))
      const rest = queue.getManySync(10, { into })
      assert.deepEqual(rest, Float32Array.of(5))
      assert.equal(rest.buffer, into.buffer)
      assert.deepEqual(into, Float32Array.of(5, 2, 3, 4))
    })

    it('are at most max, and may lie in shared memory or in part of a buffer', () => {
      const queue = new ThreadSafeQueue(10, { type: 'uint8' })
      const shared = new Uint8Array(new SharedArrayBuffer(16), 3, 8)
      queue.putManySync([1, 2, 3, 4, 5])
      const two = queue.getManySync(2, { into: shared })
      assert.deepEqual([two.byteOffset, ...two], [3, 1, 2])
      assert.deepEqual([...queue.getManySync(9, { into: shared })], [3, 4, 5])
      assert.deepEqual([...new Uint8Array(shared.buffer)], [0, 0, 0, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    })

    it('can be awaited or blocked for', async () => {
      const queue = new ThreadSafeQueue(1000, { type: 'float64' })
      const back = new ThreadSafeQueue(1000, { type: 'float64' })
      const worker = startWorker('blocks-echo', { from: queue.handle, to: back.handle })
      workers.push(worker)
      const ended = finished(worker)
      const into = new Float64Array(100)
      const waiting = back.getMany(100, { into })
      await until('the get to wait', () => back.stats().waitingGets === 1)
      queue.putManySync(counting(50))
      const first = await within('the block', waiting)
      assert.equal(first.buffer, into.buffer)
      assert.deepEqual(first.slice(), counting(50).subarray(0, first.length))
      for (let next = first.length; next < 50;) {
        const some = back.getManySync(100, { timeout: 5000, into })
        assert.deepEqual(some.slice(), counting(some.length, next))
        next += some.length
      }
      queue.close()
      await ended
    })

    it('which is detached while the call waits, are refused, and stay in the queue', async () => {
      const queue = new ThreadSafeQueue(10, { type: 'float64' })
      const into = new Float64Array(4)
      const failed = rejection(queue.getMany(4, { into }))
      structuredClone(into.buffer, { transfer: [into.buffer] })
      queue.putSync(7)
      assert.equal(((await failed) as { code?: string }).code, 'ERR_INVALID_ARG_VALUE')
      assert.equal(queue.getSync(), 7)
    })

    it('that is unsuitable are refused with an error that names it, and nothing is taken', async () => {
      const queue = new ThreadSafeQueue(10, { type: 'float64' })
      queue.putSync(1)
      const wrong: [unknown, string][] = [
        [new Float32Array(4), 'ERR_INVALID_ARG_TYPE'],
        [[0, 0], 'ERR_INVALID_ARG_TYPE'],
        [null, 'ERR_INVALID_ARG_TYPE'],
        [Object.create(Float64Array.prototype), 'ERR_INVALID_ARG_TYPE'],
        [new Float64Array(0), 'ERR_INVALID_ARG_VALUE'],
      ]
      for (const [into, code] of wrong) {
        const options = { into: into as Float64Array }
        for (const error of [thrown(() => queue.getManySync(4, options)), await rejection(queue.getMany(4, options))]) {
          assert.ok(error instanceof TypeError)
          assert.equal((error as unknown as { code: string }).code, code)
          assert.match(error.message, /options\.into/)
        }
      }
      for (const type of ['boolean', 'any', 'string', 'bytes', record({ x: 'float64' })] as const) {
        const other = new ThreadSafeQueue(10, { type })
        const error = thrown(() => other.getManySync(4, { into: new Float64Array(4) as never })) as TypeError & { code: string }
        assert.ok(error instanceof TypeError)
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE')
      }
      assert.equal(queue.qsize(), 1)
    })
  })

  it('pass through more threads than there are staging areas, and the areas are given back', async () => {
    const areas: number[] = []
    for (let round = 0; round < 2; round++) {
      const queues = Array.from({ length: 38 }, () => new ThreadSafeQueue(700, { type: 'float64' }))
      const chain = queues.slice(1).map((queue, k) => {
        return startWorker('blocks-echo', { from: queues[k]?.handle, to: queue.handle })
      })
      workers.push(...chain)
      const told = chain.map((worker) => within('its area', once(worker, 'message'), 30_000))
      const ended = chain.map((worker) => finished(worker))
      const [first, last] = [queues[0] as ThreadSafeQueue<number, Float64Array>, queues.at(-1) as ThreadSafeQueue<number, Float64Array>]
      const put = first.putMany(counting(5000))
      for (let next = 0; next < 5000;) {
        const some = await within('a block', last.getMany(300), 30_000)
        assert.deepEqual(some, counting(some.length, next))
        next += some.length
      }
      await put
      for (const queue of queues) queue.close()
      areas.push(...((await Promise.all(told)).flat() as number[]))
      await Promise.all(ended)
    }
    const own = native.stagingArea()
    assert.ok(areas.includes(-1), 'there were enough areas for all')
    for (const round of [areas.slice(0, 37), areas.slice(37)]) {
      const had = round.filter((area) => area >= 0)
      assert.equal(new Set([own, ...had]).size, 1 + had.length, `two threads had one area: ${String(round)}`)
      assert.ok(had.length >= 20, `so few had an area: ${String(round)}`)
    }
  })

  it('of a worker that is killed at any moment leave the queue as good as before', async () => {
    for (let round = 0; round < repetitions(24); round++) {
      const queue = new ThreadSafeQueue(round % 2 === 0 ? 1000 : 90, { type: 'float64' })
      const flood = (role: 'put' | 'get', first: number) => {
        const worker = startWorker('blocks-flood', { handle: queue.handle, role, first })
        workers.push(worker)
        return worker
      }
      const other = flood('put', 0)
      const victim = flood(round % 3 === 0 ? 'put' : 'get', SECOND)
      const next = [0, SECOND]
      const takeSome = () => {
        for (const value of takeWhatIsThere(queue)) {
          const producer = value < SECOND ? 0 : 1
          assert.ok(value >= (next[producer] as number), `${value} after ${next[producer]}`)
          next[producer] = value + 1
        }
      }
      const untilNumber = (number: number) =>
        until(`number ${number} to come`, () => {
          takeSome()
          return (next[0] as number) >= number
        })
      await untilNumber(2000 + round * 50)
      await within('the end of the victim', victim.terminate())
      await untilNumber((next[0] as number) + 2000)
      await within('the end of the other', other.terminate())
      await until('the queue to be empty', () => {
        takeSome()
        return queue.qsize() === 0
      })
      assert.equal(queue.putManySync(counting(2000)), queue.capacity)
      assert.deepEqual(queue.getManySync(2000), counting(queue.capacity))
    }
  })

  it('that are cut short by a timeout of node:vm wake those who wait for what went in', async () => {
    const LENGTH = 2048
    const queue = new ThreadSafeQueue(40_000, { type: 'uint8' })
    const worker = startWorker('blocks-drain', queue.handle)
    workers.push(worker)
    const ended = finished(worker)
    const block = new Uint8Array(LENGTH)
    const putSome = () => {
      if (queue.stats().waitingGets > 0) for (let k = 0; k < 4; k++) queue.putManySync(block)
    }
    const script = new Script('for (;;) putSome()')
    const context = createContext({ putSome })
    let cut = 0
    for (let round = 0, end = performance.now() + 5000; cut < 100 && performance.now() < end; round++) {
      const timeout = 1 + (round % 3)
      assert.equal((thrown(() => script.runInContext(context, { timeout })) as { code?: string }).code, 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      const missing = LENGTH - (queue.stats().puts % LENGTH)
      if (missing === LENGTH) continue
      cut++
      await until('the items of a block that was cut short to be taken', () => queue.qsize() === 0)
      while (queue.stats().puts % LENGTH !== 0) queue.putSync(0)
    }
    assert.ok(cut > 0, 'no block was cut short')
    queue.close()
    await ended
  })

  describe('whose arrays misreport themselves', () => {
    const counted = (length: number) => counting(length, 1000)

    it('go in with the elements that they really have', () => {
      const queue = new ThreadSafeQueue(1000, { type: 'float64' })
      queue.putManySync(counting(1000))
      queue.getManySync(1000)
      for (const [key, value] of Object.entries({ buffer: 3, byteOffset: 8, length: 7, constructor: Object, subarray: null, set: null })) {
        const block = Object.defineProperty(counted(700), key, { value })
        assert.equal(queue.putManySync(block), 700)
        assert.deepEqual(queue.getManySync(1000), counted(700))
      }
    })

    it('are filled to their real length', () => {
      const queue = new ThreadSafeQueue(1000, { type: 'float64' })
      for (const [key, value] of Object.entries({ buffer: 3, byteOffset: 8, length: 1, constructor: Object, subarray: null, set: null })) {
        const into = Object.defineProperty(new Float64Array(500), key, { value })
        queue.putManySync(counted(10))
        assert.deepEqual(queue.getManySync(1000, { into }), counted(10))
        queue.putManySync(counted(500))
        assert.equal(queue.getManySync(1000, { into }), into)
        assert.deepEqual(
          Array.from({ length: 500 }, (_, k) => into[k]),
          [...counted(500)],
        )
      }
    })

    it('run no code between their copy and the call', () => {
      const queue = new ThreadSafeQueue(1000, { type: 'float64' })
      const original = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float64Array) as object, Symbol.species) as PropertyDescriptor
      let asked = 0
      Object.defineProperty(Float64Array, Symbol.species, {
        configurable: true,
        get() {
          asked++
          queue.putManySync([91, 92, 93])
          return original.get?.call(Float64Array) as unknown
        },
      })
      try {
        for (const length of [5, 257, 300]) {
          queue.putManySync(counted(length))
          assert.deepEqual(Array.from(queue.getManySync(1000)), [...counted(length)])
        }
      } finally {
        Reflect.deleteProperty(Float64Array, Symbol.species)
      }
      assert.equal(asked, 0)
      assert.equal(queue.qsize(), 0)
    })

    it('fail if they have become too short, and the queue goes on', async () => {
      const buffer = resizable(8000, 8000) as ArrayBuffer & { resize(bytes: number): void }
      const queue = new ThreadSafeQueue(10, { type: 'float64' })
      const put = queue.putMany(new Float64Array(buffer))
      buffer.resize(80)
      for (let next = 0; next < 1000; next += 10) assert.equal((await queue.getMany(10)).length, 10)
      await put
      // The signal's getter shortens the array just before the call. The array's own accessors are
      // not trusted.
      buffer.resize(8000)
      const { signal } = new AbortController()
      Object.defineProperty(signal, 'throwIfAborted', { value: () => buffer.resize(40) })
      const cancelled = queue.putMany(new Float64Array(buffer), { signal })
      assert.equal(buffer.byteLength, 8000)
      queue.close()
      assert.ok((await rejection(cancelled)) instanceof QueueClosedError)
    })
  })
})
