/**
 * Queues together with other ways in which items flow in Node and JavaScript: streams, Web streams,
 * `using`, iterators.
 */
import { strict as assert } from 'node:assert'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { QueueClosedError, ThreadSafeQueue } from '../../lib/index.js'
import { finished, rejection, startWorker, thrown, loopIterations, until, within } from '../support.js'

const numbers = (capacity: number): ThreadSafeQueue<number, Float64Array> => new ThreadSafeQueue<number>(capacity, { type: 'float64' })
const upTo = (count: number): number[] => Array.from({ length: count }, (_, k) => k)

function filled(count: number): ThreadSafeQueue<number, Float64Array> {
  const queue = numbers(count + 1)
  queue.putManySync(upTo(count))
  return queue
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Writes into the stream, and counts how far it has come. Rejects if the stream fails. */
function writeAll(stream: Writable, count: number): { written: number; done: Promise<void> } {
  const progress = { written: 0, done: Promise.resolve() }
  const failed = new Promise<never>((_, reject) => stream.once('error', reject))
  progress.done = (async () => {
    while (progress.written < count) {
      if (!stream.write(progress.written++)) await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), failed])
    }
    stream.end()
  })()
  return progress
}

describe('queue.writable()', () => {
  for (const highWaterMark of [1, 4, undefined]) {
    it(`holds the writer back: it gets ahead by no more than the queue's capacity and ${highWaterMark ?? 'the usual 16'}`, async () => {
      const queue = numbers(5)
      const ahead = 5 + (highWaterMark ?? 16)
      const stream = queue.writable({ highWaterMark })
      const progress = writeAll(stream, 300)
      let most = 0
      for (let got = 0; got < 300; got++) {
        // The number of items written stays the same, however long the test waits.
        await loopIterations(got === 0 ? 10 : 1)
        if (progress.written < 300) assert.equal(stream.writableNeedDrain, true)
        most = Math.max(most, progress.written - got)
        assert.equal(await within('an item', queue.get()), got)
      }
      assert.ok(most > 5 && most <= ahead, `${most} ahead`)
      await within('the end', progress.done)
      await until('the close', () => queue.closed)
    })
  }

  it('closes the queue when a pipeline into it ends, and a consumer in another thread gets everything', async () => {
    const [there, back] = [numbers(7), numbers(10_000)]
    const echo = finished(startWorker('batches-echo', { from: there.handle, to: back.handle }))
    await within('the pipeline', pipeline(Readable.from(upTo(10_000)), there.writable()))
    await echo
    back.close()
    assert.deepEqual(await collect(back), upTo(10_000))
  })

  it('leaves the queue open if it is told to', async () => {
    const queue = numbers(10)
    await pipeline(Readable.from([1, 2]), queue.writable({ close: false }))
    await pipeline(Readable.from([3]), queue.writable({ close: false }))
    const aborted = queue.writable({ close: false })
    aborted.destroy()
    await loopIterations()
    assert.equal(queue.closed, false)
    assert.deepEqual([...(await queue.getMany(10))], [1, 2, 3])
  })

  it('carries strings as they are, and bytes', async () => {
    const text = new ThreadSafeQueue<string>(10, { type: 'string' })
    await pipeline(Readable.from(['', 'Grüße', '\ud800']), text.writable())
    assert.deepEqual(await collect(text), ['', 'Grüße', '\ud800'])
    const bytes = new ThreadSafeQueue<Uint8Array>(10, { type: 'bytes' })
    await pipeline(Readable.from([Buffer.from('ab'), Buffer.from('c')], { objectMode: false }), bytes.writable())
    assert.equal(Buffer.concat(await collect(bytes)).toString(), 'abc')
  })

  it('fails with QueueClosedError when others close the queue: while it waits for room, and at the next item', async () => {
    for (const waiting of [true, false]) {
      const queue = numbers(2)
      const source = new Readable({ objectMode: true, read() {} })
      const piped = rejection(pipeline(source, queue.writable()))
      for (const item of waiting ? [1, 2, 3, 4] : [1]) source.push(item)
      await until('what fits', () => queue.qsize() === (waiting ? 2 : 1))
      await loopIterations()
      queue.close()
      source.push(5)
      assert.ok((await piped) instanceof QueueClosedError)
      assert.equal(source.destroyed, true)
      assert.deepEqual(await collect(queue), waiting ? [1, 2] : [1])
    }
  })

  it('fails with the error of a bad item, and has put those before it', async () => {
    const queue = numbers(10)
    const stream = queue.writable()
    const failed = new Promise((resolve) => stream.once('error', resolve))
    // The first item is on its way when the others come, so those are put together.
    for (const item of [1, 2, 3, 'four', 5]) stream.write(item)
    assert.ok((await within('the error', failed)) instanceof TypeError)
    assert.deepEqual(await collect(queue), [1, 2, 3])
  })

  it('puts nothing more when it is destroyed, and closes the queue', async () => {
    for (const write of [(stream: Writable) => stream.write(2), (stream: Writable) => [2, 3, 4].forEach((item) => stream.write(item))]) {
      const queue = numbers(1)
      const stream = queue.writable()
      stream.write(1)
      await until('the first', () => queue.qsize() === 1)
      write(stream)
      await loopIterations()
      const why = new Error('why')
      const failed = new Promise((resolve) => stream.once('error', resolve))
      stream.destroy(why)
      assert.equal(await within('the error', failed), why)
      assert.deepEqual(await within('the end', collect(queue)), [1])
    }
  })

  it('puts nothing more when it is destroyed, even if the queue stays open', async () => {
    const queue = numbers(1)
    const stream = queue.writable({ close: false })
    for (const item of [1, 2, 3]) stream.write(item)
    await until('the first', () => queue.full())
    await loopIterations()
    stream.destroy()
    assert.equal(queue.getSync(), 1)
    await loopIterations()
    assert.equal(queue.qsize(), 0)
  })

  it('has closed the queue when it is finished', async () => {
    const queue = numbers(1)
    const finish = new Promise((resolve) =>
      queue
        .writable()
        .end(1)
        .once('finish', () => resolve(queue.closed)),
    )
    assert.equal(await within('the end', finish), true)
  })

  it('ends with the pipeline: its source fails, or it is aborted', async () => {
    const why = new Error('why')
    const failing = numbers(10)
    async function* items(): AsyncGenerator<number> {
      yield 1
      await until('the item', () => failing.qsize() === 1)
      throw why
    }
    assert.equal(await rejection(pipeline(items, failing.writable())), why)
    assert.deepEqual(await within('the end', collect(failing)), [1])

    const aborted = numbers(1)
    const controller = new AbortController()
    const piped = rejection(pipeline(Readable.from(upTo(100)), aborted.writable(), { signal: controller.signal }))
    await until('it to be full', () => aborted.full())
    controller.abort()
    assert.equal(((await piped) as Error).name, 'AbortError')
    assert.deepEqual(await within('the end', collect(aborted)), [0])
  })

  it('checks its options', () => {
    const queue = numbers(1)
    const cases: [options: unknown, code: string][] = [
      [5, 'ERR_INVALID_ARG_TYPE'],
      [{ close: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ highWaterMark: -1 }, 'ERR_INVALID_ARG_VALUE'],
    ]
    for (const [options, code] of cases) {
      assert.equal((thrown(() => queue.writable(options as object)) as { code?: string }).code, code)
    }
    assert.equal(queue.closed, false)
  })
})

describe('a queue as a source', () => {
  it('of Readable.from(): in a pipeline that ends when the queue is closed and drained', async () => {
    const queue = numbers(4)
    const out: number[] = []
    const sink = new Writable({ objectMode: true, write: (item: number, _, done) => (out.push(item), done()) })
    const doubled = new Transform({ objectMode: true, transform: (item: number, _, done) => done(null, 2 * item) })
    const piped = pipeline(Readable.from(queue), doubled, sink)
    for (const item of upTo(100)) await queue.put(item)
    queue.close()
    await within('the pipeline', piped)
    assert.deepEqual(
      out,
      upTo(100).map((item) => 2 * item),
    )
  })

  it('of Readable.from(): ends with the pipeline while it waits for an item, and takes none afterwards', async () => {
    for (const how of ['sink', 'signal'] as const) {
      const queue = numbers(10)
      const why = new Error('why')
      const controller = new AbortController()
      const sink = new Writable({ objectMode: true, write: (_item, _, done) => done(how === 'sink' ? why : null) })
      const piped = rejection(pipeline(Readable.from(queue), sink, { signal: controller.signal }))
      await loopIterations()
      if (how === 'sink') queue.putSync(1)
      else controller.abort(why)
      const error = (await piped) as Error
      assert.ok(error === why || error.cause === why)
      await loopIterations()
      queue.putSync(2)
      await loopIterations()
      assert.equal(queue.qsize(), 1)
      // The stream no longer waits, so this get receives the next item.
      assert.equal(await within('the item', queue.get()), 2)
    }
  })

  it('of Readable.from(): keeps what was not read; with highWaterMark 0 nothing is read ahead', async () => {
    const queue = filled(5)
    for await (const item of Readable.from(queue, { highWaterMark: 0 })) {
      assert.equal(item, 0)
      break
    }
    await loopIterations()
    assert.deepEqual([...(await queue.getMany(10))], [1, 2, 3, 4])
  })

  it('of Web streams, and their sink, with backpressure on both sides', async () => {
    const [from, to] = [numbers(3), numbers(5)]
    const piped = ReadableStream.from(from).pipeTo(Writable.toWeb(to.writable({ highWaterMark: 1 })) as WritableStream<number>)
    let put = 0
    const putting = (async () => {
      for (; put < 100; put++) await from.put(put)
      from.close()
    })()
    await until('both to be full', () => from.full() && to.full())
    await loopIterations(10)
    // There are items in the queues, one or two chunks in each stream, and one on its way.
    assert.ok(put <= 3 + 5 + 5, `${put} put`)
    assert.deepEqual(await within('all', collect(to)), upTo(100))
    await within('the ends', Promise.all([piped, putting]))
  })

  it('of a Web stream that is cancelled loses nothing', async () => {
    const queue = filled(3)
    for await (const item of ReadableStream.from(queue)) {
      assert.equal(item, 0)
      break
    }
    const reader = ReadableStream.from(queue).getReader()
    assert.equal((await reader.read()).value, 1)
    await reader.cancel()
    assert.equal(queue.getSync(), 2)
  })

  for (const kind of ['items', 'batches'] as const) {
    const iterate = (queue: ThreadSafeQueue<number, Float64Array>): AsyncIterableIterator<unknown> =>
      kind === 'items' ? queue[Symbol.asyncIterator]() : queue.batches(2)

    it(`of an iterator of ${kind}: throw() rejects with the error and ends it, return() with the value`, async () => {
      const why = new Error('why')
      const queue = numbers(4)
      const iterator = iterate(queue)
      const pending = [iterator.next(), iterator.next()]
      assert.equal(await rejection(iterator.throw?.(why) as Promise<unknown>), why)
      for (const one of pending) assert.deepEqual(await within('the end of next()', one), { value: undefined, done: true })
      queue.putSync(1)
      assert.deepEqual(await iterator.next(), { value: undefined, done: true })
      await loopIterations()
      assert.deepEqual([queue.qsize(), queue.stats().waitingGets], [1, 0])
      const other = iterate(queue)
      assert.deepEqual(await other.return?.(Promise.resolve('value')), { value: 'value', done: true })
      assert.deepEqual(await other.next(), { value: undefined, done: true })
      assert.equal(queue.qsize(), 1)
    })

    it(`of an iterator of ${kind}: yield* passes on what is thrown or returned into it`, async () => {
      const why = new Error('why')
      for (const how of ['throw', 'return'] as const) {
        const queue = filled(3)
        const generator = (async function* () {
          return yield* iterate(queue)
        })()
        await generator.next()
        const left = queue.qsize()
        if (how === 'throw') assert.equal(await rejection(generator.throw(why)), why)
        else assert.deepEqual(await generator.return('value'), { value: 'value', done: true })
        assert.equal(queue.qsize(), left)
      }
    })
  }

  it('of iterators that are left by break, return or throw: loses nothing', async () => {
    const queue = filled(4)
    for await (const item of queue) {
      assert.equal(item, 0)
      break
    }
    const first = await (async () => {
      for await (const item of queue) return item
      return undefined
    })()
    assert.equal(first, 1)
    const why = new Error('why')
    const error = await rejection(
      (async () => {
        for await (const item of queue) if (item === 2) throw why
      })(),
    )
    assert.equal(error, why)
    for await (const batch of queue.batches(1)) {
      assert.deepEqual([...batch], [3])
      break
    }
    assert.equal(queue.qsize(), 0)
  })
})

describe('using', () => {
  it('closes the queue at the end of the block, and drops nothing', async () => {
    const kept: ThreadSafeQueue<number, Float64Array>[] = []
    {
      using queue = numbers(2)
      kept.push(queue)
      queue.putSync(1)
    }
    {
      await using queue = numbers(2)
      kept.push(queue)
      queue.putSync(1)
    }
    const why = new Error('why')
    const error = thrown(() => {
      using queue = numbers(2)
      kept.push(queue)
      queue.putSync(1)
      throw why
    })
    assert.equal(error, why)
    for (const queue of kept) {
      assert.equal(queue.closed, true)
      assert.deepEqual(await collect(queue), [1])
    }
    assert.equal(kept.length, 3)
  })

  it('does nothing with an object that from() returned: others go on using the queue', async () => {
    const queue = numbers(2)
    {
      using same = ThreadSafeQueue.from(queue.handle)
      await using other = ThreadSafeQueue.from(structuredClone(queue.handle))
      same.putSync(1)
      other.putSync(2)
    }
    assert.equal(queue.closed, false)
    assert.deepEqual([queue.getSync(), queue.getSync()], [1, 2])
    await queue[Symbol.asyncDispose]()
    assert.equal(queue.closed, true)
  })
})
