/** Message: its contract, in one thread and between threads. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { Message, record, select, selectSync, SharedRecord, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import type { SharedTask } from '../fixtures/shared-worker.js'
import { finished, rejection, startWorker, threadsBlocked, thrown, loopIterations, until, within } from '../support.js'

const work = (task: SharedTask) => startWorker('shared-worker', task)

describe('a message', () => {
  it('has no value before it is set, and keeps the latest value when it is cleared', () => {
    const message = new Message<string>()
    assert.deepEqual([message.isSet(), message.value()], [false, undefined])
    message.clear()
    message.set('one')
    message.set('two')
    assert.deepEqual([message.isSet(), message.value()], [true, 'two'])
    message.clear()
    assert.deepEqual([message.isSet(), message.value()], [false, 'two'])
    message.set(undefined)
    assert.deepEqual([message.isSet(), message.value()], [true, undefined])
  })

  it('carries values of every type, and refuses those of others before anything changes', () => {
    for (const [type, value, wrong] of [
      ['any', { a: [1, 'x', new Date(5), new Map([[1, 2n]])] }, () => 0],
      ['string', 'lone \ud800', 5],
      ['bytes', new Uint8Array([1, 2, 3]), 'abc'],
      ['boolean', true, 1],
      ['int8', -5, '5'],
      ['uint16', 65535, 5n],
      ['bigint64', -(2n ** 63n), 5],
      ['float32', 0.5, true],
      ['float64', -0, undefined],
      ['float32[3]', new Float32Array([1, 2, 3]), [1, 2]],
      ['bytes[2]', new Uint8Array([8, 9]), new Uint8Array(3)],
      [record({ x: 'float64', n: 'int32' }), { x: 1.5, n: -1 }, { x: 1 }],
    ] as const) {
      const message = new Message({ type: type as 'any' })
      message.set(value)
      assert.deepStrictEqual(message.value(), value)
      const refusal = thrown(() => message.set(wrong)) as Error
      assert.match(refusal.message, type === 'any' ? /could not be cloned/ : /"value(\.n)?"/)
      assert.deepStrictEqual(message.value(), value)
      message.set(value)
      assert.deepStrictEqual(message.waitSync(), value)
    }
  })

  it('carries values of up to maxBytes, whichever way they go', () => {
    const sizes = [0, 1, 7, 8, 9, 8176, 8177, 8184, 8185, 65_528, 65_529, 65_536]
    for (const [type, of] of [
      ['bytes', (size: number): unknown => new Uint8Array(size).fill(5)],
      ['string', (size: number): unknown => 'x'.repeat(size)],
      ['any', (size: number): unknown => 'x'.repeat(size - Math.min(size, 20))],
    ] as const) {
      const message = new Message({ type: type as 'any' })
      for (const size of [...sizes, ...sizes.toReversed()]) {
        const value = of(size)
        message.set(value)
        assert.deepEqual(message.value(), value, `${type} of ${size}`)
      }
      const error = thrown(() => message.set(of(65_600))) as NodeJS.ErrnoException
      assert.ok(error instanceof RangeError)
      assert.equal(error.code, 'ERR_ITEM_TOO_LARGE')
      assert.match(error.message, /takes 65\d{3} bytes.* 65536.*maxBytes/)
    }
    const large = new Message({ type: 'bytes', maxBytes: 1_000_000 })
    large.set(new Uint8Array(1_000_000).fill(3))
    assert.equal(large.value()?.length, 1_000_000)
    large.set(new Uint8Array(2))
    assert.deepEqual(large.value(), new Uint8Array(2))
    const small = new Message({ type: 'bytes', maxBytes: 3 })
    small.set(new Uint8Array(3))
    assert.match((thrown(() => small.set(new Uint8Array(4))) as Error).message, /takes 4 bytes.* 3\b/)
  })

  it('refuses impossible options', () => {
    for (const [options, code] of [
      [5, 'ERR_INVALID_ARG_TYPE'],
      [{ type: 'nothing' }, 'ERR_INVALID_ARG_VALUE'],
      [{ maxBytes: '5' }, 'ERR_INVALID_ARG_TYPE'],
      [{ maxBytes: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ maxBytes: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ maxBytes: NaN }, 'ERR_OUT_OF_RANGE'],
      [{ maxBytes: 2 ** 40 }, 'ERR_OUT_OF_RANGE'],
      [{ maxBytes: 2 ** 32 - 8 }, 'ERR_OUT_OF_RANGE'],
      [{ type: 'float64', maxBytes: 7 }, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      assert.equal((thrown(() => new Message(options as never)) as NodeJS.ErrnoException).code, code, JSON.stringify(options))
    }
    new Message({ type: 'float64', maxBytes: 8 }).set(1)
  })

  it('while set, makes nobody wait', async () => {
    const message = new Message<number>()
    message.set(5)
    let turned = false
    setImmediate(() => (turned = true))
    for (let k = 0; k < 100; k++) {
      assert.equal(await message.wait(), 5)
      assert.equal(await message.wait({ timeout: 0 }), 5)
    }
    assert.equal(turned, false)
    assert.equal(message.waitSync({ timeout: 0 }), 5)
  })

  it('serves all who wait when it is set, though clear() follows at once, and nobody later', async () => {
    const message = new Message<string>()
    const waits = Array.from({ length: 50 }, () => message.wait())
    message.set('now')
    message.clear()
    const late = message.wait({ timeout: 20 })
    assert.deepEqual(new Set(await within('all of them', Promise.all(waits))), new Set(['now']))
    assert.ok((await rejection(late)) instanceof TimeoutError)
    assert.ok((await rejection(message.wait({ timeout: 0 }))) instanceof TimeoutError)
    assert.ok(thrown(() => message.waitSync({ timeout: 0 })) instanceof TimeoutError)
    assert.ok(thrown(() => message.waitSync({ timeout: 5 })) instanceof TimeoutError)
  })

  it('gives each waiting call a copy of its own', async () => {
    const message = new Message<{ list: number[] }>()
    const waits = [message.wait(), message.wait()]
    message.set({ list: [1] })
    const [one, other] = (await within('both', Promise.all(waits))) as [{ list: number[] }, { list: number[] }]
    one.list.push(2)
    assert.deepEqual([other, message.value()], [{ list: [1] }, { list: [1] }])
  })

  it('is not thenable, so that a promise can resolve to it', async () => {
    const message = new Message()
    assert.equal('then' in message, false)
    assert.equal(await Promise.resolve(message), message)
  })

  describe('for await', () => {
    it('begins with the current value, gives none twice, and skips values that were overwritten', async () => {
      const message = new Message<number>()
      message.set(1)
      const iterator = message[Symbol.asyncIterator]()
      assert.deepEqual(await iterator.next(), { value: 1, done: false })
      const next = iterator.next()
      assert.equal(await Promise.race([next, loopIterations().then(() => 'nothing')]), 'nothing')
      message.set(2)
      assert.deepEqual(await within('the set', next), { value: 2, done: false })
      message.set(3)
      message.set(4)
      assert.equal((await iterator.next()).value, 4)
      const [one, other] = [iterator.next(), iterator.next()]
      message.set(5)
      assert.equal((await within('the set', one)).value, 5)
      message.set(6)
      assert.equal((await within('the set', other)).value, 6)
      const last = iterator.next()
      assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
      assert.deepEqual(await last, { value: undefined, done: true })
    })

    it('begins with the next value if none is set, and gives a waiting call a value that was cleared at once', async () => {
      const message = new Message<number>()
      message.set(1)
      message.clear()
      const iterator = message[Symbol.asyncIterator]()
      const first = iterator.next()
      assert.equal(await Promise.race([first, loopIterations().then(() => 'nothing')]), 'nothing')
      message.set(2)
      message.clear()
      assert.equal((await within('the set', first)).value, 2)
    })

    it('keeps a version for each iterator', async () => {
      const message = new Message<number>()
      message.set(1)
      const [one, other] = [message[Symbol.asyncIterator](), message[Symbol.asyncIterator]()]
      assert.equal((await one.next()).value, 1)
      message.set(2)
      assert.equal((await one.next()).value, 2)
      assert.equal((await other.next()).value, 2)
    })
  })

  describe('in a select', () => {
    it('times out if its memory was overwritten', () => {
      const message = new Message({ type: 'float64' })
      message.set(1)
      const { memory } = message.handle as unknown as { memory: WebAssembly.Memory }
      // The next version after this one can't be told from it as a number.
      new Uint32Array(memory.buffer)[65] = 0xfffffff0
      const wait = (): unknown => selectSync([message], { timeout: 5 })
      assert.ok(thrown(() => runInNewContext('wait()', { wait }, { timeout: 2000 }) as unknown) instanceof TimeoutError)
    })

    it('is ready while it is set, and stays so', async () => {
      const message = new Message<string>()
      const queue = new ThreadSafeQueue<number>(4)
      const event = new ThreadSafeEvent()
      const sources = [queue, message, event] as const
      const selected = select(sources)
      message.set('a')
      const got = await within('the select', selected)
      assert.deepEqual([got.index, got.item, got.source], [1, 'a', message])
      assert.equal(message.isSet(), true)
      assert.equal((await select(sources)).item, 'a')
      assert.equal(selectSync(sources).item, 'a')
      message.clear()
      assert.ok(thrown(() => selectSync(sources, { timeout: 5 })) instanceof TimeoutError)
      const cleared = select(sources)
      message.set('b')
      message.clear()
      assert.equal((await within('the select', cleared)).item, 'b')
      queue.putSync(5)
      message.set('c')
      assert.equal((await select([message, queue], { biased: true })).item, 'c')
      assert.equal(queue.qsize(), 1)
    })

    it('wakes a thread that blocks; a record is refused', async () => {
      const message = new Message<string>()
      setTimeout(() => message.set('late'), 10)
      const selected = select([message, new ThreadSafeQueue(1)])
      assert.equal((await selected).item, 'late')
      const wrong = (await rejection(select([new SharedRecord(record({ x: 'int8' })) as never]))) as Error
      assert.match(wrong.message, /"sources\[0\]".*a Message/)
    })
  })

  describe('between threads', () => {
    it('goes back and forth, with no wake lost', async function () {
      this.timeout(60_000)
      const [there, back] = [new Message({ type: 'float64' }), new Message({ type: 'float64' })]
      const times = 5000
      const worker = work({ does: 'echo', message: there.handle, echo: back.handle, times })
      for (let k = 0; k < times; k++) {
        there.set(k)
        assert.equal(await within(`echo ${k}`, back.wait()), k)
        back.clear()
      }
      await finished(worker)
    })

    it('wakes five calls that wait in different ways', async () => {
      const message = new Message<string>()
      const workers = [work({ does: 'await message', message: message.handle }), work({ does: 'await message', message: message.handle })]
      const waits = workers.map((worker) => once(worker, 'message'))
      await within('workers that wait', Promise.all(waits))
      const got = workers.map((worker) => once(worker, 'message').then(([value]: unknown[]) => value))
      const iterator = message[Symbol.asyncIterator]()
      got.push(
        message.wait(),
        iterator.next().then(({ value }) => value),
        select([message]).then(({ item }) => item),
      )
      await loopIterations()
      message.set('all')
      message.clear()
      assert.deepEqual(await within('all five', Promise.all(got)), ['all', 'all', 'all', 'all', 'all'])
      await Promise.all(workers.map((worker) => finished(worker)))
      assert.equal(threadsBlocked(message), 0)
    })

    it('can block a thread, which can be terminated', async () => {
      const message = new Message({ type: 'float64' })
      const worker = work({ does: 'echo', message: message.handle, echo: message.handle, times: 1e9 })
      await until('a thread that is blocked', () => threadsBlocked(message) === 1)
      await within('the end of the worker', worker.terminate())
      assert.equal(threadsBlocked(message), 0)
      message.set(1)
    })
  })

  it('is the same through every object of its handle; handles of other classes are refused', async () => {
    const message = new Message({ type: 'string' })
    const other = Message.from(structuredClone(message.handle))
    const waits = [message.wait(), other.wait()]
    Message.from(message.handle).set('same')
    assert.deepEqual(await within('both', Promise.all(waits)), ['same', 'same'])
    assert.equal(message.ref(), message)
    assert.equal(message.unref(), message)
    for (const wrong of [undefined, {}, message, new ThreadSafeQueue(1).handle, new SharedRecord(record({ x: 'int8' })).handle]) {
      assert.equal((thrown(() => Message.from(wrong as never)) as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
    }
    const forged = { ...message.handle, type: 'bytes' }
    assert.equal((thrown(() => Message.from(forged)) as NodeJS.ErrnoException).code, 'ERR_INCOMPATIBLE_HANDLE')
  })

  it('shows its value in util.inspect()', () => {
    const message = new Message()
    assert.equal(inspect(message), 'Message { set: false, value: undefined }')
    message.set({ done: 3 })
    assert.equal(inspect(message), 'Message { set: true, value: { done: 3 } }')
  })

  it('checks its options, then the signal, then its value', async () => {
    const message = new Message<number>()
    message.set(1)
    const aborted = AbortSignal.abort(new Error('aborted'))
    assert.equal(((await rejection(message.wait({ timeout: -1, signal: aborted }))) as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE')
    assert.equal(await rejection(message.wait({ signal: aborted })), aborted.reason)
    assert.equal((thrown(() => message.waitSync({ timeout: -1 })) as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE')
    assert.equal((thrown(() => message.waitSync(5 as never)) as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  })
})
