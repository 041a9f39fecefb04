/** Waiting for the first of several. */
import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import type { Worker } from 'node:worker_threads'
import {
  QueueClosedError,
  select,
  type Selected,
  selectSync,
  type SelectSource,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from '../lib/index.js'
import type { SelectRole } from './fixtures/select-worker.js'
import { Ledger } from './fixtures/stress-ledger.js'
import { finished, rejection, repetitions, startWorker, thrown, loopIterations, until, within } from './support.js'

const numbers = (capacity = 8): ThreadSafeQueue<number, Float64Array> => new ThreadSafeQueue<number>(capacity, { type: 'float64' })
const several = (count: number, capacity = 8): ThreadSafeQueue<number, Float64Array>[] =>
  Array.from({ length: count }, () => numbers(capacity))

/** Both functions return promises here, so that their common behaviour is tested on both. */
const FACES: [name: string, call: (sources: readonly SelectSource[], timeout?: number) => Promise<Selected<readonly SelectSource[]>>][] = [
  ['select', (sources, timeout) => select(sources, { timeout })],
  ['selectSync', async (sources, timeout) => selectSync(sources, { timeout })],
]

const BIASED: typeof FACES = [
  ['select', (sources, timeout) => select(sources, { timeout, biased: true })],
  ['selectSync', async (sources, timeout) => selectSync(sources, { timeout, biased: true })],
]

for (const [name, call] of BIASED) {
  describe(`${name}, biased`, () => {
    it('takes the first that is ready, in the order of the sources', async () => {
      const [first, second, event, last] = [numbers(), numbers(), new ThreadSafeEvent(), numbers()] as const
      const sources = [first, second, event, last]
      first.putManySync([1, 2])
      second.putManySync([3, 4])
      last.putSync(5)
      event.set()
      for (const expected of [
        [0, 1],
        [0, 2],
        [1, 3],
        [1, 4],
        [2, undefined],
        [2, undefined],
      ]) {
        const { index, item } = await call(sources)
        assert.deepEqual([index, item], expected)
      }
      event.clear()
      assert.equal((await call(sources)).index, 3)
      first.close()
      last.putSync(6)
      const error = (await rejection(call(sources))) as QueueClosedError
      assert.ok(error instanceof QueueClosedError)
      assert.equal(error.index, 0)
      assert.equal(last.qsize(), 1)
    })

    it('waits like any other, and then takes the first that is ready', async () => {
      const sources = several(3)
      assert.ok((await rejection(call(sources, 20))) instanceof TimeoutError)
    })
  })
}

describe('the sources of a select', () => {
  it('are read once each, before anything is taken', async () => {
    for (const [name, call] of FACES) {
      const [empty, one] = [numbers(), numbers()]
      const sources = [empty, one]
      let reads = 0
      Object.defineProperty(sources, 0, { get: () => (reads++ === 0 ? empty : assert.fail(`${name} reads the array again`)) })
      sources.findIndex = () => assert.fail(`${name} calls a method of the array`)
      one.putSync(1)
      assert.equal((await call(sources)).item, 1)
    }
  })
})

describe('select, biased, of sources that become ready together', () => {
  it('takes the first in the order of the sources, whichever is looked at first', async () => {
    for (let round = 0; round < 50; round++) {
      const [one, other, event] = [numbers(), numbers(), new ThreadSafeEvent()] as const
      const orders = [[one, event, other], [other, event, one], [event, one, other], [event, other, one]] as const // prettier-ignore
      const sources = orders[round % orders.length] as readonly SelectSource[]
      const selected = select(sources, { biased: true })
      await loopIterations(1)
      // The source that is rung for first is looked at first.
      if (round % 2 === 0) event.set()
      for (const queue of [other, one]) queue.putManySync([1, 2])
      event.set()
      const { index } = await within('a source', selected)
      assert.equal(index, 0, `round ${round}`)
    }
  })

  it('leaves items to the gets of this thread that came before', async () => {
    const [one, other] = [numbers(), numbers()]
    const get = one.get()
    const selected = select([one, other], { biased: true })
    await loopIterations(1)
    other.putSync(2)
    one.putSync(1)
    assert.equal(await within('the get', get), 1)
    assert.deepEqual(await within('a source', selected), { source: other, index: 1, item: 2 })
  })

  it('fails with the first that is closed', async () => {
    const [one, other] = [numbers(), numbers()]
    const selected = select([one, other], { biased: true })
    await loopIterations(1)
    other.putSync(1)
    one.close()
    const error = (await rejection(selected)) as QueueClosedError
    assert.equal(error.source, one)
    assert.equal(other.getSync(), 1)
  })

  it('refuses a `biased` that is no boolean, before it looks at the signal', async () => {
    const options = { biased: 1, signal: AbortSignal.abort() } as unknown as { biased: boolean }
    assert.match(String(await rejection(select([numbers()], options))), /"options.biased" argument must be a boolean/)
    assert.throws(() => selectSync([numbers()], { biased: 'yes' as unknown as boolean }), { code: 'ERR_INVALID_ARG_TYPE' })
  })
})

for (const [name, call] of FACES) {
  describe(name, () => {
    it('takes an item from the one that has any, and leaves the others', async () => {
      const text = new ThreadSafeQueue<string | undefined>(2, { type: 'any' })
      const sources = [numbers(), text, new ThreadSafeEvent()]
      text.putSync('a')
      text.putSync(undefined)
      assert.deepEqual(await call(sources), { source: text, index: 1, item: 'a' })
      assert.deepEqual(await call(sources), { source: text, index: 1, item: undefined })
      assert.ok((await rejection(call(sources, 0))) instanceof TimeoutError)
    })

    it('returns the object that was given, even if the thread has another of the same queue', async () => {
      const queue = numbers()
      const same = ThreadSafeQueue.from(queue.handle)
      queue.putSync(1)
      assert.equal((await call([same])).source, same)
    })

    it('is ready for an event that is set, and leaves it set', async () => {
      const event = new ThreadSafeEvent()
      event.set()
      const sources = [numbers(), event]
      assert.deepEqual(await call(sources), { source: event, index: 1, item: undefined })
      assert.deepEqual(await call(sources, 0), { source: event, index: 1, item: undefined })
    })

    it('takes about equally often from each that is ready', async () => {
      const queues = several(4, 2000)
      for (const queue of queues) queue.putManySync(new Float64Array(2000))
      const served = [0, 0, 0, 0]
      for (let k = 0; k < 2000; k++) (served[(await call(queues)).index] as number)++
      // 500 each, with a standard deviation of 19.
      for (const count of served) assert.ok(count > 350 && count < 650, String(served))
    })

    it('names a queue that is closed and drained, which counts as ready', async () => {
      const [full, closed] = [numbers(2000), numbers()]
      full.putManySync(new Float64Array(1000))
      closed.putSync(7)
      closed.close()
      const told = { items: 0, last: 0, closed: 0 }
      for (let k = 0; k < 200; k++) {
        try {
          told[(await call([full, closed])).source === closed ? 'last' : 'items']++
        } catch (error) {
          assert.ok(error instanceof QueueClosedError)
          assert.deepEqual([error.source, error.index], [closed, 1])
          told.closed++
        }
      }
      assert.equal(told.last, 1)
      assert.ok(told.items > 50 && told.closed > 50, JSON.stringify(told))
      assert.equal(full.qsize(), 1000 - told.items)
    })

    it('treats a queue that is given twice as one', async () => {
      const queue = numbers()
      const event = new ThreadSafeEvent()
      const sources = [queue, event, queue, ThreadSafeQueue.from(queue.handle), event]
      assert.ok((await rejection(call(sources, 5))) instanceof TimeoutError)
      queue.putSync(1)
      queue.putSync(2)
      assert.equal((await call(sources)).item, 1)
      assert.equal((await call(sources)).item, 2)
      assert.equal(queue.qsize(), 0)
    })

    it('gives up after its time, and has taken nothing', async () => {
      const queues = several(3)
      for (const timeout of [0, 5]) {
        const error = await rejection(call(queues, timeout))
        assert.ok(error instanceof TimeoutError)
        assert.match(error.message, new RegExp(`${timeout} ms`))
      }
      queues[1]?.putSync(1)
      assert.equal((await call(queues, 0)).index, 1)
    })

    it('checks its options before its sources, and its sources before their state', async () => {
      const closed = numbers()
      closed.close()
      const cases: [sources: unknown, timeout: unknown, code: string, message: RegExp][] = [
        ['no sources', -1, 'ERR_OUT_OF_RANGE', /options\.timeout/],
        ['no sources', 'soon', 'ERR_INVALID_ARG_TYPE', /options\.timeout/],
        [closed, undefined, 'ERR_INVALID_ARG_TYPE', /"sources" .*array.*ThreadSafeQueue/],
        [undefined, undefined, 'ERR_INVALID_ARG_TYPE', /"sources"/],
        [new Set([closed]), undefined, 'ERR_INVALID_ARG_TYPE', /"sources"/],
        [[], undefined, 'ERR_INVALID_ARG_VALUE', /"sources"/],
        [[closed, 7], undefined, 'ERR_INVALID_ARG_TYPE', /"sources\[1\]" .*ThreadSafeEvent.*number \(7\)/],
        [[closed, closed.handle], undefined, 'ERR_INVALID_ARG_TYPE', /"sources\[1\]"/],
        // eslint-disable-next-line no-sparse-arrays -- as a user may pass one
        [[closed, , closed], undefined, 'ERR_INVALID_ARG_TYPE', /"sources\[1\]"/],
        [[closed], undefined, 'ERR_QUEUE_CLOSED', /closed/],
        [[closed], 0, 'ERR_QUEUE_CLOSED', /closed/],
      ]
      for (const [sources, timeout, code, message] of cases) {
        const error = (await rejection(call(sources as SelectSource[], timeout as number))) as Error & { code: string }
        assert.equal(error.code, code)
        assert.match(error.message, message)
      }
    })
  })
}

describe('select, while it waits', () => {
  it('is served by whichever is ready first, and takes nothing from the others', async () => {
    const queues = several(3)
    const event = new ThreadSafeEvent()
    for (let round = 0; round < 50; round++) {
      const which = round % 3
      const selected = select([...queues, event])
      await loopIterations(1)
      queues[which]?.putSync(round)
      assert.deepEqual(await within('an item', selected), { source: queues[which], index: which, item: round })
      await loopIterations(1)
      const set = select([...queues, event])
      event.set()
      event.clear()
      assert.equal((await within('the event', set)).source, event)
    }
    for (const queue of queues) queue.putSync(1)
    await loopIterations()
    assert.deepEqual(
      queues.map((queue) => queue.qsize()),
      [1, 1, 1],
    )
  })

  it('takes from one only when several become ready at the same moment', async () => {
    const queues = several(4)
    const events = [new ThreadSafeEvent(), new ThreadSafeEvent()]
    for (let round = 0; round < 100; round++) {
      const selected = select([...queues, ...events])
      for (const queue of queues) queue.putSync(round)
      for (const event of events) event.set()
      await within('the first', selected)
      await loopIterations(1)
      const left = queues.map((queue) => queue.qsize()).reduce((a, b) => a + b)
      assert.equal(left, (await selected).item === undefined ? 4 : 3)
      for (const queue of queues) queue.tryGet()
      for (const event of events) event.clear()
    }
  })

  it('stands in the line of each queue: behind earlier gets, before later ones', async () => {
    const queue = numbers()
    const before = queue.get()
    const selected = select([numbers(), queue])
    const after = queue.get()
    for (const item of [1, 2, 3]) queue.putSync(item)
    // The items are there, but this thread's earlier get has not taken its item yet.
    assert.ok((await rejection(select([queue], { timeout: 0 }))) instanceof TimeoutError)
    assert.deepEqual([await before, (await within('the select', selected)).item, await after], [1, 2, 3])
  })

  it('leaves all lines when it settles', async () => {
    const [first, second] = [numbers(), numbers()]
    const selected = select([first, second])
    const [getFirst, getSecond] = [first.get(), second.get()]
    await loopIterations()
    first.putSync(1)
    assert.equal((await within('the select', selected)).item, 1)
    first.putSync(2)
    second.putSync(3)
    assert.deepEqual(await within('both gets', Promise.all([getFirst, getSecond])), [2, 3])
  })

  it('learns that any of them was closed', async () => {
    const queues = several(3)
    const selected = rejection(select(queues))
    await loopIterations()
    queues[2]?.close()
    const error = await selected
    assert.ok(error instanceof QueueClosedError)
    assert.deepEqual([error.source, error.index], [queues[2], 2])
  })

  it('is cancelled by its signal with that reason, has taken nothing, and leaves no listener', async () => {
    const queues = several(2)
    const controller = new AbortController()
    const reason = { why: 'test' }
    const aborted = select(queues, { signal: controller.signal, timeout: 10_000 })
    const behind = queues[0]?.get() as Promise<number>
    await loopIterations()
    queues[0]?.putSync(1)
    controller.abort(reason)
    assert.equal(await rejection(aborted), reason)
    assert.equal(await within('the get behind it', behind), 1)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    queues[1]?.putSync(2)
    await loopIterations()
    assert.equal(queues[1]?.qsize(), 1)
    // An aborted signal is reported before errors in the sources.
    assert.equal(await rejection(select([] as never, { signal: controller.signal })), reason)
  })

  it('lets timers run while it is never without an item', async () => {
    const queue = numbers(2)
    let over = false
    setTimeout(() => (over = true), 1)
    for (let k = 0; !over; k++) {
      assert.ok(k < 1_000_000, 'no timer has run')
      queue.putSync(k)
      assert.equal((await select([queue])).item, k)
    }
  })

  it('has result types that `index` tells apart', async () => {
    const sources = [numbers(), new ThreadSafeQueue<string>(1, { type: 'string' }), new ThreadSafeEvent()] as const
    sources[1].putSync('text')
    const selected = await select([sources[0], sources[1], sources[2]])
    if (selected.index === 0) selected.item satisfies number
    else if (selected.index === 1) assert.equal(selected.item.length, 4)
    else selected.item satisfies undefined
    // @ts-expect-error a handle is no source
    assert.throws(() => selectSync([sources[0].handle]), TypeError)
  })
})

describe('selectSync, while it blocks', () => {
  it('is woken by each of its queues and its event, in a worker', async () => {
    const queues = several(3)
    const [event, waiting] = [new ThreadSafeEvent(), new ThreadSafeEvent()]
    const answers = numbers(1)
    const task: SelectRole = {
      role: 'answer',
      queues: queues.map(({ handle }) => handle),
      event: event.handle,
      answers: answers.handle,
      waiting: waiting.handle,
    }
    const ended = finished(startWorker('select-worker', task))
    await within('the worker', waiting.wait())
    const asleep = () => until('the select to announce itself', () => queues[0]?.stats().waitingGets === 1)
    for (let round = 0; round < 300; round++) {
      queues[round % 3]?.putSync(round)
      assert.equal(await within('an answer', answers.get()), round % 3)
      // Every tenth time it has stopped spinning.
      if (round % 10 === 0) await asleep()
    }
    await asleep()
    event.set()
    event.clear()
    assert.equal(await within('the event', answers.get()), 3)
    await ended
  })

  it('takes the first of its sources, if biased, also when it has blocked', async () => {
    const queues = several(3)
    const [event, waiting] = [new ThreadSafeEvent(), new ThreadSafeEvent()]
    const answers = numbers(3)
    const task: SelectRole = {
      role: 'answer',
      // The same object once more counts at its first place.
      queues: [...queues, queues[1] as (typeof queues)[1]].map(({ handle }) => handle),
      event: event.handle,
      answers: answers.handle,
      waiting: waiting.handle,
      biased: true,
    }
    const ended = finished(startWorker('select-worker', task))
    await within('the worker', waiting.wait())
    // The worker may come between the puts, and take another item. But once it will come after them.
    for (let first = -1, round = 0; first !== 0; round++) {
      assert.ok(round < 1000, 'The first source was never taken first')
      await until('the select to announce itself', () => queues.every((queue) => queue.stats().waitingGets === 1))
      for (const queue of queues.toReversed()) queue.putSync(round)
      first = await within('an answer', answers.get())
      for (let k = 0; k < 2; k++) await within('an answer', answers.get())
    }
    event.set()
    assert.equal(await within('the event', answers.get()), 4)
    await ended
  })

  it('ends when its worker is terminated, and the queues go on', async () => {
    const queues = several(2)
    const [event, waiting] = [new ThreadSafeEvent(), new ThreadSafeEvent()]
    const task: SelectRole = {
      role: 'answer',
      queues: queues.map(({ handle }) => handle),
      event: event.handle,
      answers: numbers().handle,
      waiting: waiting.handle,
    }
    const worker = startWorker('select-worker', task)
    await within('the worker', waiting.wait())
    await within('its end', worker.terminate())
    queues[1]?.putSync(1)
    assert.equal(selectSync(queues).item, 1)
    assert.ok(thrown(() => selectSync([...queues, event], { timeout: 1 })) instanceof TimeoutError)
  })
})

describe('select over 8 queues that 4 workers fill with many items', function () {
  this.timeout(240_000)
  const PATIENCE = 120_000
  const QUEUES = 8
  const PRODUCERS = 4
  const each = repetitions(31_250)
  const workers: Worker[] = []

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  function start(task: SelectRole): Promise<number> {
    const worker = startWorker('select-worker', task)
    workers.push(worker)
    return finished(worker, PATIENCE)
  }

  function setUp(): { queues: ThreadSafeQueue<number, Float64Array>[]; ledger: Ledger; served: Int32Array; produced: Promise<unknown> } {
    const queues = several(QUEUES, 64)
    const produced = Promise.all(
      Array.from({ length: PRODUCERS }, (_, producer) =>
        start({ role: 'produce', queues: queues.map(({ handle }) => handle), producer, each }),
      ),
    ).then(() => queues.forEach((queue) => queue.close()))
    return { queues, ledger: Ledger.create(PRODUCERS * QUEUES, each), served: new Int32Array(new SharedArrayBuffer(4 * QUEUES)), produced }
  }

  /** Does asynchronously what the worker does. */
  async function selectHere(queues: ThreadSafeQueue<number, Float64Array>[], ledger: Ledger, served: Int32Array): Promise<void> {
    const open = queues.map((queue, k) => ({ queue, k }))
    while (open.length > 0) {
      try {
        const { index, item } = await select(open.map(({ queue }) => queue))
        ledger.take(item)
        Atomics.add(served, open[index]?.k as number, 1)
      } catch (error) {
        if (!(error instanceof QueueClosedError)) throw error
        open.splice(error.index as number, 1)
      }
    }
  }

  function check(ledger: Ledger, served: Int32Array): void {
    assert.deepEqual(ledger.report(), { taken: each * PRODUCERS * QUEUES, duplicates: 0, disordered: 0, damaged: 0 })
    assert.deepEqual([...served], new Array<number>(QUEUES).fill(each * PRODUCERS))
  }

  it('by this event loop: each once, in order, and each queue is served', async () => {
    const { queues, ledger, served, produced } = setUp()
    const selected = selectHere(queues, new Ledger(ledger.shared), served)
    await until('items of each queue', () => served.every((count) => count > 0), PATIENCE)
    await within('all items', Promise.all([produced, selected]), PATIENCE)
    check(ledger, served)
  })

  for (const impatient of [false, true]) {
    it(`by a blocking worker${impatient ? ' that gives up now and then, another one, and this event loop' : ''}: each once, in order`, async () => {
      const { queues, ledger, served, produced } = setUp()
      const task = {
        role: 'select' as const,
        queues: queues.map(({ handle }) => handle),
        ledger: ledger.shared,
        served: served.buffer as SharedArrayBuffer,
      }
      const selecting: Promise<unknown>[] = [start({ ...task, impatient })]
      if (impatient) selecting.push(start({ ...task, impatient: false }), selectHere(queues, new Ledger(ledger.shared), served))
      await within('all items', Promise.all([produced, ...selecting]), PATIENCE)
      check(ledger, served)
    })
  }
})
