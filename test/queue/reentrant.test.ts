/**
 * User code that runs at awkward moments, or replaces Node's functions, changes nothing for anybody
 * else.
 */
import { strict as assert } from 'node:assert'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { record, select, ThreadSafeQueue } from '../../lib/index.js'
import { rejection, runProcess, within } from '../support.js'

describe("the user's code", () => {
  it('in the tag of an object is not run while the object is encoded', () => {
    const queue = new ThreadSafeQueue<unknown>(4)
    const other = new ThreadSafeQueue<unknown>(4)
    const tagged = {
      a: 1,
      get [Symbol.toStringTag]() {
        other.tryPut({ secret: 'of the other queue', b: 2 })
        return 'Object'
      },
    }
    queue.putSync(tagged)
    queue.putSync({ x: { y: 1 }, tagged })
    assert.deepEqual(queue.getSync(), { a: 1 })
    assert.deepEqual(queue.getSync(), { x: { y: 1 }, tagged: { a: 1 } })
    const throwing = {
      a: 1,
      get [Symbol.toStringTag](): string {
        throw new Error('the tag was read')
      },
    }
    queue.putSync(throwing)
    assert.deepEqual(queue.getSync(), { a: 1 })
  })

  it('that replaces setImmediate for a while keeps no call waiting', async () => {
    const queue = new ThreadSafeQueue<number>(4, { type: 'float64' })
    const { setImmediate } = globalThis
    globalThis.setImmediate = (() => undefined) as never
    try {
      for (let k = 0; k < 1001; k++) {
        queue.putSync(k)
        assert.equal(await within('an item', queue.get()), k)
      }
    } finally {
      globalThis.setImmediate = setImmediate
    }
  })

  it('in a signal that can not be listened to leaves the line as it was', async () => {
    for (const type of ['float64', 'string'] as const) {
      const queue = new ThreadSafeQueue<unknown>(1, { type })
      const item = type === 'string' ? 'item' : 1
      const { signal } = new AbortController()
      signal.addEventListener = () => {
        throw new Error('no listeners')
      }
      queue.putSync(item)
      assert.equal(((await rejection(queue.put(item, { signal }))) as Error).message, 'no listeners')
      assert.equal(queue.getSync(), item)
      assert.equal(((await rejection(queue.get({ signal }))) as Error).message, 'no listeners')
      assert.equal(((await rejection(select([queue], { signal }))) as Error).message, 'no listeners')
      const got = queue.get()
      await queue.put(item)
      assert.equal(await within('the item', got), item)
      assert.deepEqual([queue.stats().waitingGets, queue.stats().waitingPuts], [0, 0])
    }
  })

  it('that replaces any function of the built-in classes changes no item on its way', async function () {
    this.timeout(60_000)
    const { stdout, stderr } = await runProcess('patched-process', [], 50_000)
    assert.equal(stdout, 'end\n', stderr)
  })

  it('in Object.prototype takes no field from a record', () => {
    const queue = new ThreadSafeQueue<{ zz: number }>(1, { type: record({ zz: 'int32' }) })
    queue.putSync({ zz: 5 })
    Object.defineProperty(Object.prototype, 'zz', { configurable: true, set: () => assert.fail('the setter was called') })
    try {
      assert.deepEqual(Object.entries(queue.getSync()), [['zz', 5]])
    } finally {
      delete (Object.prototype as { zz?: number }).zz
    }
  })

  it('that throws an error with a count makes no stream skip items', async () => {
    const queue = new ThreadSafeQueue<unknown>(10)
    const bad = {
      get field(): number {
        throw Object.assign(new Error('of the user'), { count: 3 })
      },
    }
    const writable = queue.writable()
    writable.cork()
    for (const chunk of [0, 1, 2, bad, 4]) writable.write(chunk)
    const failed = pipeline(Readable.from([]), writable)
    writable.uncork()
    assert.equal(((await rejection(failed)) as Error).message, 'of the user')
    assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], [0, 1, 2])
  })
})

describe('near the end of the stack', function () {
  this.timeout(60_000)
  for (const call of ['wait', 'get', 'get any', 'getWithin any', 'next', 'select any', 'put', 'put any', 'putWithin any']) {
    it(`a call either throws, or waits and is served (${call})`, async () => {
      const { code, stdout, stderr } = await runProcess('stack-depths', [call], 50_000)
      assert.equal(code, 0, stderr.slice(-1000))
      assert.deepEqual(JSON.parse(stdout), { some: true, pending: 0, lost: 0, waitingGets: 0, waitingPuts: 0 })
    })
  }
  for (const call of ['release', 'terminate']) {
    it(`what ends a wait for others can be called again if it throws, and they settle (${call})`, async () => {
      const { code, stdout, stderr } = await runProcess('stack-endings', [call], 50_000)
      assert.equal(code, 0, stderr.slice(-1000))
      assert.deepEqual(JSON.parse(stdout), { some: true, pending: 0, wrong: 0 })
    })
  }
})
