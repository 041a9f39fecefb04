/** Arrays of fixed length as items, and arrays of the user's that single gets fill. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { type Block, blockConstructor } from '../../lib/codec/block.js'
import { type ArrayType, type NumericType, QueueEmptyError, record, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { finished, rejection, startWorker, thrown, within } from '../support.js'

const TYPES: readonly NumericType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'bigint64', 'biguint64', 'float32', 'float64']

function arrayOf(type: NumericType, length: number, first = 1): Block {
  const one = (k: number): number | bigint => (type.startsWith('big') ? BigInt(first + (k % 100)) : first + (k % 100))
  return blockConstructor(type).from(Array.from({ length }, (_, k) => one(k)))
}

function errorOf(call: () => unknown): { name: string; code: string } {
  const { name, code } = thrown(call) as { name: string; code: string }
  return { name, code }
}

const INVALID_VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
const INVALID_TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
const OUT_OF_RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }

describe('a queue of arrays of fixed length', () => {
  // The lengths are a few words, within a staging area, beyond it, and beyond the thread's buffer.
  for (const length of [1, 7, 128, 1500, 40_000]) {
    for (const type of TYPES) {
      it(`gives back ${type}[${length}]`, () => {
        const queue = new ThreadSafeQueue<Block>(3, { type: `${type}[${length}]` as ArrayType as never })
        const items = [1, 2, 3].map((first) => arrayOf(type, length, first))
        for (const item of items) queue.putSync(item)
        assert.equal(queue.tryPut(items[0] as Block), false, 'three is its capacity')
        assert.deepEqual(queue.peek(), items[0])
        const got = queue.getSync()
        assert.deepEqual(got, items[0])
        assert.equal(got.byteLength, got.buffer.byteLength, 'it has a buffer of its own')
        const into = arrayOf(type, length + 2, 50)
        const part = queue.getSync({ into })
        assert.equal(part.buffer, into.buffer)
        assert.deepEqual(part, items[1])
        assert.deepEqual(into.slice(length), arrayOf(type, length + 2, 50).slice(length), 'what is behind it stays')
        const whole = arrayOf(type, length)
        assert.equal(queue.tryGet({ into: whole }), whole)
        assert.deepEqual(whole, items[2])
        assert.equal(queue.tryGet({ into: whole }), undefined)
      })
    }
  }

  it('takes arrays, other iterables and other typed arrays, converted', () => {
    const queue = new ThreadSafeQueue(1, { type: 'int16[3]' })
    for (const item of [[1, 2.9, 65537], new Float64Array([1, 2.9, 65537]), new Set([1, 2.9, 65537])]) {
      queue.putSync(item)
      assert.deepEqual(queue.getSync(), new Int16Array([1, 2, 1]))
    }
  })

  it('of bytes takes whatever a queue of bytes takes', () => {
    const queue = new ThreadSafeQueue(1, { type: 'bytes[4]' })
    for (const item of [
      new Uint8Array([1, 2, 3, 4]),
      new DataView(new Uint8Array([1, 2, 3, 4]).buffer),
      new Uint8Array([1, 2, 3, 4]).buffer,
    ]) {
      queue.putSync(item)
      assert.deepEqual(queue.getSync(), new Uint8Array([1, 2, 3, 4]))
    }
    assert.deepEqual(
      errorOf(() => queue.putSync([1, 2, 3, 4] as never)),
      INVALID_TYPE,
    )
    assert.equal(queue.qsize(), 0)
  })

  it('refuses other lengths and elements, and puts nothing', async () => {
    const queue = new ThreadSafeQueue(2, { type: 'float64[3]' })
    for (const item of [[1, 2], [1, 2, 3, 4], new Float64Array(2), new Float64Array(0)]) {
      assert.deepEqual(
        errorOf(() => queue.putSync(item)),
        INVALID_VALUE,
      )
    }
    assert.deepEqual(
      errorOf(() => queue.putSync([1, 'two', 3] as never)),
      INVALID_TYPE,
    )
    assert.deepEqual(
      errorOf(() => queue.putSync(3 as never)),
      INVALID_TYPE,
    )
    assert.deepEqual(
      errorOf(() => queue.putManySync([[1, 2, 3], [1]])),
      INVALID_VALUE,
    )
    assert.equal(((await rejection(queue.put([1]))) as { code: string }).code, 'ERR_INVALID_ARG_VALUE')
    assert.equal(queue.qsize(), 0)
  })

  it('passes batches as an array of arrays', () => {
    const queue = new ThreadSafeQueue(5, { type: 'uint32[2]' })
    const items = [1, 2, 3, 4, 5, 6].map((k) => new Uint32Array([k, k]))
    assert.equal(queue.putManySync(items), 5)
    assert.deepEqual(queue.getManySync(10), items.slice(0, 5))
  })

  it('has a type that differs from its elements, and from other lengths', () => {
    const { handle } = new ThreadSafeQueue(2, { type: 'float64[3]' })
    assert.equal(ThreadSafeQueue.from(handle).type, 'float64[3]')
    for (const type of ['float64', 'float64[4]', 'bytes']) {
      const error = thrown(() => ThreadSafeQueue.from({ ...handle, type } as never)) as { code: string }
      assert.equal(error.code, 'ERR_INCOMPATIBLE_HANDLE', type)
    }
  })

  it('refuses malformed types', () => {
    for (const type of ['float64[0]', 'float64[-1]', 'float64[1.5]', 'boolean[3]', 'any[3]', 'string[3]', 'float64[]', 'float64[3][3]']) {
      assert.deepEqual(
        errorOf(() => new ThreadSafeQueue(2, { type: type as 'any' })),
        INVALID_VALUE,
        type,
      )
    }
  })

  it('waits, with the array as it was when the call was made', async () => {
    const queue = new ThreadSafeQueue(1, { type: 'float64[3]' })
    queue.putSync([1, 1, 1])
    const item = new Float64Array([2, 2, 2])
    const put = queue.put(item)
    item.fill(9)
    assert.deepEqual(await queue.get(), new Float64Array([1, 1, 1]))
    await put
    const into = new Float64Array(3)
    assert.equal(await queue.get({ into }), into)
    assert.deepEqual(into, new Float64Array([2, 2, 2]))
    const waiting = queue.get({ into })
    queue.putSync([3, 3, 3])
    assert.equal(await waiting, into)
    assert.deepEqual(into, new Float64Array([3, 3, 3]))
  })
})

describe("'into' of a single get", () => {
  it('is refused if it can take no item, and the item stays', async () => {
    const arrays = new ThreadSafeQueue(1, { type: 'float32[3]' })
    arrays.putSync([1, 2, 3])
    assert.deepEqual(
      errorOf(() => arrays.getSync({ into: new Float64Array(3) as never })),
      INVALID_TYPE,
    )
    assert.deepEqual(
      errorOf(() => arrays.tryGet({ into: new Float32Array(2) })),
      OUT_OF_RANGE,
    )
    assert.equal(((await rejection(arrays.get({ into: new Float32Array(2) }))) as { code: string }).code, 'ERR_OUT_OF_RANGE')
    assert.equal(arrays.qsize(), 1)
    for (const type of ['any', 'string', 'float64', 'boolean'] as const) {
      const queue = new ThreadSafeQueue(1, { type: type as 'any' })
      assert.equal(errorOf(() => queue.tryGet({ into: new Float64Array(1) as never })).name, 'TypeError', type)
    }
    const records = new ThreadSafeQueue(1, { type: record({ x: 'float64' }) })
    assert.equal(errorOf(() => records.tryGet({ into: new Float64Array(1) as never })).name, 'TypeError')
  })

  for (const bytes of [0, 10, 5000, 20_000, 100_000]) {
    it(`takes ${bytes} bytes, or leaves them if they are too many`, async () => {
      const queue = new ThreadSafeQueue(2, { type: 'bytes', itemBytes: 100_000 })
      const item = new Uint8Array(bytes).map((_, k) => k)
      queue.putSync(item)
      if (bytes > 0) {
        const short = new Uint8Array(bytes - 1)
        assert.deepEqual(
          errorOf(() => queue.getSync({ into: short })),
          OUT_OF_RANGE,
        )
        assert.deepEqual(
          errorOf(() => queue.getSync({ into: short, timeout: 10 })),
          OUT_OF_RANGE,
        )
        assert.equal(((await rejection(queue.get({ into: short }))) as { code: string }).code, 'ERR_OUT_OF_RANGE')
        assert.equal(queue.qsize(), 1)
      }
      const into = new Uint8Array(bytes + 3).fill(77)
      const got = queue.getSync({ into })
      assert.equal(got.buffer, into.buffer)
      assert.deepEqual(got, item)
      assert.deepEqual(into.subarray(bytes), new Uint8Array(3).fill(77))
      assert.equal(errorOf(() => queue.getSync({ into })).name, QueueEmptyError.name)
      assert.equal(errorOf(() => queue.getSync({ into, timeout: 5 })).name, TimeoutError.name)
      const waiting = queue.get({ into: into.subarray(0, bytes) })
      queue.putSync(item)
      assert.deepEqual(await waiting, item)
    })
  }
})

describe('items without a staging area', () => {
  const workers: Worker[] = []
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  it('pass nonetheless', async () => {
    const items = [
      {
        type: 'any',
        values: [
          1.5,
          'text',
          'text €',
          'x'.repeat(9000),
          'x'.repeat(90_000),
          { a: [1, 'b'] },
          new Uint8Array(70_000),
          new Map([[1, 2]]),
          null,
        ],
      },
      { type: 'string', values: ['', 'short', 'x'.repeat(9000), '€'.repeat(40_000)] },
      { type: 'bytes', values: [new Uint8Array(0), new Uint8Array(9000).fill(1), new Uint8Array(90_000).fill(2)] },
      { type: 'float64[2000]', values: [new Float64Array(2000).fill(3)] },
      { type: 'float64', values: [1.5] },
    ]
    const told: { area: number; failed: string[] }[] = []
    // Starts one worker after another, until one finds no staging area left.
    while (told.at(-1)?.area !== -1 && told.length < 60) {
      const worker = startWorker('area-holder', { items })
      workers.push(worker)
      const [message] = (await within('a worker', once(worker, 'message'), 30_000)) as [{ area: number; failed: string[] }]
      told.push(message)
    }
    assert.equal(told.at(-1)?.area, -1, 'there was one for each')
    assert.deepEqual(
      told.flatMap(({ failed }) => failed),
      [],
    )
    const ended = workers.map((worker) => finished(worker))
    for (const worker of workers) worker.postMessage('end')
    await Promise.all(ended)
  })
})
