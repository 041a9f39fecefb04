/**
 * What must hold under any test runner. A runner evaluates the package once for each test file, in
 * a realm of its own, and replaces timers by fake ones. A test file of each runner passes its own
 * `test` and fake timers to these functions.
 */
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'

/** Rejects, saying what was missing, after five seconds of a clock that no fake timers move. */
const realSetTimeout = setTimeout
const realClearTimeout = clearTimeout
function within(what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = realSetTimeout(() => reject(new Error(`still missing after 5 s: ${what}`)), 5000)
  })
  return Promise.race([promise, late]).finally(() => realClearTimeout(timer))
}

/**
 * `fake` has use(), which installs fake timers, advance(ms), which moves them, and restore(), which
 * brings back the real ones.
 */
export function queuesAndEvents({ test, fake }, { QueueFullError, ThreadSafeEvent, ThreadSafeQueue, TimeoutError, record, select }) {
  test('synchronous calls, of each kind of type', () => {
    const point = record({ x: 'float64', samples: 'float32[2]' })
    const items = { float64: 1.5, string: 'text \u{1f600}', any: { nested: [new Map([[1, 'one']])] }, bytes: new Uint8Array([1, 2, 3]) }
    for (const [type, item] of Object.entries(items)) {
      const queue = new ThreadSafeQueue(2, { type })
      queue.putSync(item)
      assert.equal(queue.tryPut(item), true)
      assert.throws(() => queue.putSync(item), QueueFullError)
      assert.equal(JSON.stringify(queue.getSync()), JSON.stringify(item))
    }
    const points = new ThreadSafeQueue(2, { type: point })
    points.putSync({ x: 1, samples: new Float32Array([2, 3]) })
    assert.equal(Array.from(points.getSync().samples).join(), '2,3')
    const numbers = new ThreadSafeQueue(4, { type: 'float64' })
    numbers.putManySync([1, 2, 3])
    assert.equal(Array.from(numbers.getManySync(4, { into: new Float64Array(4) })).join(), '1,2,3')
  })

  test('awaits go on under fake timers that nobody advances', async () => {
    fake.use()
    try {
      const queue = new ThreadSafeQueue(5000, { type: 'float64' })
      for (let k = 0; k < 5000; k++) queue.putSync(k)
      queue.close()
      let count = 0
      await within(
        '5000 items',
        (async () => {
          for await (const item of queue) count += item === count ? 1 : 0
        })(),
      )
      assert.equal(count, 5000)
      await within('a timeout', assert.rejects(new ThreadSafeQueue(1).get({ timeout: 20 }), TimeoutError))
      const event = new ThreadSafeEvent()
      const waited = event.wait({ timeout: 4000 })
      event.set()
      await within('an event that is set', waited)
    } finally {
      fake.restore()
    }
  })

  test('fake timers do not end a wait before its time', async () => {
    fake.use()
    try {
      const queue = new ThreadSafeQueue(1)
      const got = queue.get({ timeout: 4000 })
      fake.advance(1_000_000)
      queue.putSync('in time')
      assert.equal(await within('the item', got), 'in time')
    } finally {
      fake.restore()
    }
  })

  test('a worker, and handles', async () => {
    const numbers = new ThreadSafeQueue(4, { type: 'float64' })
    const doubled = new ThreadSafeQueue(4)
    const ready = new ThreadSafeEvent()
    const workerData = { numbers: numbers.handle, doubled: doubled.handle, ready: ready.handle }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    await within('the worker', ready.wait())
    let sum = 0
    const consumed = (async () => {
      for await (const { number, twice } of doubled) sum += twice - number
    })()
    for (let k = 1; k <= 300; k++) await numbers.put(k)
    numbers.close()
    await within('the end of the items', consumed)
    assert.equal(sum, 45150)
    await within('the end of the worker', ended)
    assert.equal(ThreadSafeQueue.from(structuredClone(numbers.handle)).closed, true)
  })

  test('select, and an abort', async () => {
    const queue = new ThreadSafeQueue(1, { type: 'string' })
    const event = new ThreadSafeEvent()
    const selected = select([queue, event])
    event.set()
    assert.equal((await within('the event', selected)).index, 1)
    const controller = new AbortController()
    const aborted = queue.get({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await within('the abort', assert.rejects(aborted, /enough/))
    const kept = queue.get()
    queue.putSync('kept')
    assert.equal(await within('the item', kept), 'kept')
  })
}

export function sharedData({ test, fake }, { BufferPool, Context, Lock, Message, record, select, SharedRecord, TimeoutError }) {
  test('records, messages, locks and pools wait and time out under fake timers that nobody advances', async () => {
    fake.use()
    try {
      const position = new SharedRecord(record({ x: 'float64' }))
      const message = new Message()
      const lock = new Lock()
      const pool = new BufferPool(1, 'float32[4]')
      const held = lock.acquireSync()
      const lease = pool.lendSync()
      const waits = (options) => [
        position.wait(position.version, options),
        message.wait(options),
        lock.acquire(options),
        pool.lend(options),
        select([message], options),
      ]
      for (const wait of waits({ timeout: 20 })) await within('a timeout', assert.rejects(wait, TimeoutError))
      const [version, value, next, lent, selected] = waits({ timeout: 4000 })
      fake.advance(1_000_000)
      position.write({ x: 1.5 })
      message.set({ nested: [1] })
      held.release()
      lease.release()
      assert.equal(await within('a version', version), 1)
      assert.equal(JSON.stringify(await within('a value', value)), '{"nested":[1]}')
      ;(await within('the lock', next)).release()
      ;(await within('a buffer', lent)).release()
      assert.equal((await within('a select', selected)).index, 0)
      assert.equal(position.read().x, 1.5)
      assert.equal(lock.locked, false)
      assert.equal(pool.stats().free, 1)
    } finally {
      fake.restore()
    }
  })

  test('handles of records, messages, locks and pools', () => {
    const position = new SharedRecord(record({ x: 'float64' }), { x: 2 })
    assert.equal(SharedRecord.from(structuredClone(position.handle)).read().x, 2)
    const message = new Message({ type: 'string' })
    Message.from(structuredClone(message.handle)).set('text')
    assert.equal(message.value(), 'text')
    const lock = new Lock()
    const held = Lock.from(structuredClone(lock.handle)).acquireSync()
    assert.equal(lock.tryAcquire(), undefined)
    held.release()
    const pool = new BufferPool(2, 'bytes[8]')
    const lease = pool.lendSync()
    lease.data[0] = 7
    assert.equal(BufferPool.from(structuredClone(pool.handle)).take(lease.pass()).data[0], 7)
  })

  test('a context, under fake timers', async () => {
    fake.use()
    try {
      const module = 'export const twice = (x) => 2 * x; export const refuse = () => { throw new RangeError("no") }'
      const context = new Context(`data:text/javascript,${encodeURIComponent(module)}`)
      assert.equal(await within('a job', context.assign('twice', 4)), 8)
      await within('an error', assert.rejects(context.assign('refuse'), { name: 'RangeError', message: 'no' }))
      await within('the end of the context', context.close())
    } finally {
      fake.restore()
    }
  })
}

export function signals({ test, fake }, { attachSignal, sendSignal, signalInfo, SignalTimer, ThreadSafeEvent, ThreadSafeQueue }) {
  test('a signal source, under fake timers too', async () => {
    fake.use()
    try {
      const queue = new ThreadSafeQueue(10, { type: signalInfo })
      const source = attachSignal('SIGRTMIN+2', queue)
      try {
        for (let value = 1; value <= 3; value++) sendSignal(process.pid, 'SIGRTMIN+2', value)
        const values = []
        for (let k = 1; k <= 3; k++) values.push((await within(`signal ${k}`, queue.get())).value)
        // Several threads may handle one of the signals each, at the same time.
        assert.deepEqual(values.sort(), [1, 2, 3])
        assert.equal(source.stats().received, 3)
      } finally {
        source.detach()
      }
    } finally {
      fake.restore()
    }
  })

  test('a timer, and a heartbeat of this realm', async () => {
    const ticks = new ThreadSafeEvent()
    const heartbeat = new BigUint64Array(new SharedArrayBuffer(8))
    heartbeat[0] = 1n
    const timer = new SignalTimer(2000, ticks, { heartbeat, olderThan: 10 })
    try {
      await within('a tick', ticks.wait())
    } finally {
      timer.stop()
    }
  })

  test('many awaits of strings, which are not mixed up with those of another test file', async () => {
    const texts = new ThreadSafeQueue(8, { type: 'string' })
    for (let k = 0; k < 1000; k++) {
      const got = texts.get()
      await texts.put(`text ${k} of ${import.meta.url}`)
      assert.equal(await within(`text ${k}`, got), `text ${k} of ${import.meta.url}`)
    }
  })
}
