/** The name of a queue, and what util.inspect() shows of the package's objects. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { attachSignal, record, type SignalInfo, signalInfo, SignalTimer, ThreadSafeEvent, ThreadSafeQueue } from '../lib/index.js'
import { rejection, startWorker, thrown, within } from './support.js'

const messageOf = (error: unknown): string => (error as Error).message
const shown = (object: object): string => inspect(object, { breakLength: Infinity })

describe('the name of a queue', () => {
  it('is empty if none was given, and at most 64 UTF-16 units', () => {
    assert.equal(new ThreadSafeQueue(1).name, '')
    for (const name of ['', 'jobs', 'n'.repeat(64), '😀'.repeat(32), '\ud800', 'a "b"\n']) {
      assert.equal(new ThreadSafeQueue(1, { name }).name, name)
    }
  })

  it('goes to other threads with the handle', async () => {
    const queue = new ThreadSafeQueue(1, { name: 'jobs' })
    assert.equal(ThreadSafeQueue.from(structuredClone(queue.handle)).name, 'jobs')
    const worker = startWorker('inspect-worker', queue.handle)
    const [told] = (await within('the message', once(worker, 'message'))) as [{ name: string; message: string; shown: string }]
    assert.equal(told.name, 'jobs')
    assert.equal(told.message, 'The queue "jobs" (capacity 1) is empty')
    assert.match(told.shown, /^ThreadSafeQueue \{ name: 'jobs'/)
  })

  it('is in every error about the queue', async () => {
    for (const type of ['any', 'float64', 'string'] as const) {
      const queue = new ThreadSafeQueue<unknown>(1, { type, name: 'jobs' } as { name: string })
      const item = type === 'string' ? '' : 1
      const said = 'queue "jobs" (capacity 1)'
      const errors = [
        thrown(() => queue.getSync()),
        thrown(() => queue.getSync({ timeout: 0 })),
        thrown(() => queue.getSync({ timeout: 1 })),
        thrown(() => queue.getManySync(2)),
        await rejection(queue.get({ timeout: 0 })),
        await rejection(queue.get({ timeout: 1 })),
      ]
      queue.putSync(item)
      errors.push(
        thrown(() => queue.putSync(item)),
        thrown(() => queue.putSync(item, { timeout: 1 })),
        thrown(() => queue.putManySync([item], { timeout: 0 })),
        await rejection(queue.put(item, { timeout: 0 })),
        await rejection(queue.putMany([item], { timeout: 1 })),
      )
      const waiting = rejection(queue.put(item))
      queue.close({ discard: true })
      errors.push(
        await waiting,
        thrown(() => queue.tryPut(item)),
        thrown(() => queue.putManySync([item])),
        thrown(() => queue.tryGet()),
        await rejection(queue.get()),
        await rejection(queue.put(item)),
      )
      for (const error of errors) assert.ok(messageOf(error).includes(said), messageOf(error))
    }
    const small = new ThreadSafeQueue<string>(1, { type: 'string', name: 'texts' })
    assert.match(messageOf(thrown(() => small.tryPut('x'.repeat(100)))), /queue "texts" \(capacity 1\) with itemBytes 64 holds 64/)
  })

  it('does not break the line of an error', () => {
    const queue = new ThreadSafeQueue(1, { name: 'a "b"\nc' })
    assert.equal(messageOf(thrown(() => queue.getSync())), 'The queue "a \\"b\\"\\nc" (capacity 1) is empty')
    assert.equal(messageOf(thrown(() => new ThreadSafeQueue(1).getSync())), 'The queue (capacity 1) is empty')
  })
})

describe('util.inspect()', () => {
  it("shows a queue's type and state", () => {
    const queue = new ThreadSafeQueue(4, { type: 'float64', name: 'jobs' })
    queue.putSync(1)
    assert.equal(shown(queue), "ThreadSafeQueue { name: 'jobs', type: 'float64', capacity: 4, depth: 1, closed: false }")
    queue.close()
    assert.equal(shown(queue), "ThreadSafeQueue { name: 'jobs', type: 'float64', capacity: 4, depth: 1, closed: true }")
    const any = new ThreadSafeQueue(2)
    any.putSync({ a: 1 })
    assert.equal(shown(any), "ThreadSafeQueue { name: '', type: 'any', capacity: 2, depth: 1, closed: false }")
    const points = new ThreadSafeQueue(2, { type: record({ x: 'float64', id: 'bytes[4]' }) })
    assert.equal(
      shown(points),
      "ThreadSafeQueue { name: '', type: { x: 'float64', id: 'bytes[4]' }, capacity: 2, depth: 0, closed: false }",
    )
  })

  it('shows an event, and sources of signals', function () {
    const event = new ThreadSafeEvent()
    assert.equal(shown(event), 'ThreadSafeEvent { set: false }')
    event.set()
    assert.equal(shown(event), 'ThreadSafeEvent { set: true }')
    if (process.platform === 'win32') this.skip()
    const source = attachSignal('SIGUSR2', event)
    const counts = 'received: 0, delivered: 0, dropped: 0, installed'
    assert.equal(shown(source), `SignalSource { signal: 'SIGUSR2', ${counts}: true }`)
    source.detach()
    assert.equal(shown(source), `SignalSource { signal: 'SIGUSR2', ${counts}: false }`)
    if (process.platform !== 'linux') this.skip()
    const timer = new SignalTimer(1e9, new ThreadSafeQueue<SignalInfo>(1, { type: signalInfo }))
    timer.stop()
    assert.equal(shown(timer), `SignalTimer { signal: 'SIGRTMIN+12', ${counts}: false }`)
  })

  it('obeys its options', () => {
    const queue = new ThreadSafeQueue(1, { type: record({ x: 'int8' }) })
    assert.equal(inspect({ a: { b: { c: queue } } }, { breakLength: Infinity }), '{ a: { b: { c: [ThreadSafeQueue] } } }')
    assert.match(inspect(queue, { depth: 0, breakLength: Infinity }), /^ThreadSafeQueue \{ name: '', type: \[Object\], capacity: 1/)
    assert.match(inspect(queue, { depth: null, breakLength: Infinity }), /type: \{ x: 'int8' \}/)
    assert.ok(inspect(queue, { colors: true }).includes('\u001b[33m1\u001b[39m'))
    assert.match(inspect(queue, { customInspect: false }), /^ThreadSafeQueue \{/)
    assert.equal(inspect([queue], { compact: false }).split('\n').length, 11)
  })

  it('names subclasses, and never throws', () => {
    class Jobs extends ThreadSafeQueue<string> {}
    assert.match(shown(new Jobs(1)), /^Jobs \{ name: ''/)
    const constructor = {
      get name() {
        throw new Error('no')
      },
    }
    const hostile = Object.assign(new ThreadSafeQueue(1), { constructor })
    assert.equal(inspect(hostile), 'ThreadSafeQueue {}')
    for (const object of [Object.create(new Jobs(1)), ThreadSafeQueue.prototype, ThreadSafeEvent.prototype, Jobs.prototype]) {
      assert.equal(typeof inspect(object), 'string')
    }
    assert.equal(inspect(Object.create(new Jobs(1))), 'Jobs {}')
    const unnamed = Object.assign(new ThreadSafeQueue(1), { constructor: { name: 'evil\n\u001b[2J' } })
    assert.match(shown(unnamed), /^evil\[2J \{ name/)
  })
})
