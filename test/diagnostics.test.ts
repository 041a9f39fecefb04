/** Messages on node:diagnostics_channel. */
import { strict as assert } from 'node:assert'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  type BlockMessage,
  type Overflow,
  type QueueDropMessage,
  QueueClosedError,
  selectSync,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from '../lib/index.js'
import { finished, startWorker, thrown, within } from './support.js'

/** Returns the messages that a channel carries while the call runs. */
function told<Message>(name: string, call: () => void): Message[] {
  const messages: Message[] = []
  const listen = (message: unknown): void => void messages.push(message as Message)
  subscribe(name, listen)
  try {
    call()
  } finally {
    unsubscribe(name, listen)
  }
  return messages
}

function full(overflow: Overflow): ThreadSafeQueue<number, Int32Array> {
  const queue = new ThreadSafeQueue<number>(2, { type: 'int32', overflow })
  queue.putManySync([1, 2])
  return queue
}

describe('threadsafe:queue:drop', () => {
  for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
    it(`reports each call that lost items, and how many: ${overflow}`, () => {
      const queue = full(overflow)
      const messages = told<QueueDropMessage>('threadsafe:queue:drop', () => {
        queue.tryPut(3)
        queue.putSync(4)
        queue.putManySync([5, 6, 7])
        queue.getSync()
        queue.putSync(8)
      })
      assert.deepEqual(
        messages.map(({ count }) => count),
        [1, 1, 3],
      )
      for (const message of messages) assert.equal(message.queue, queue)
    })
  }

  it('reports no call that loses nothing', async () => {
    const queue = full('reject')
    const dropping = full('drop-newest')
    const closed = full('drop-oldest')
    closed.close()
    const messages = told('threadsafe:queue:drop', () => {
      assert.equal(queue.tryPut(3), false)
      assert.ok(thrown(() => dropping.putSync(3, { timeout: 1 })) instanceof TimeoutError)
      assert.ok(thrown(() => closed.putSync(3)) instanceof QueueClosedError)
      queue.close({ discard: true })
    })
    assert.deepEqual(messages, [])
  })
})

describe('threadsafe:queue:close', () => {
  it('reports the call that closes the queue, once it is closed, and no later call', () => {
    for (const close of [
      (queue: ThreadSafeQueue<number, Int32Array>) => queue.close(),
      (queue: ThreadSafeQueue<number, Int32Array>) => queue.close({ discard: true }),
      (queue: ThreadSafeQueue<number, Int32Array>) => queue[Symbol.dispose](),
    ]) {
      const queue = full('reject')
      const messages = told<{ queue: unknown; discard: boolean }>('threadsafe:queue:close', () => {
        close(queue)
        queue.close()
        ThreadSafeQueue.from(queue.handle).close({ discard: true })
      })
      assert.equal(messages.length, 1)
      assert.equal(messages[0]?.queue, queue)
      assert.equal(messages[0]?.discard, close.toString().includes('discard'))
    }
  })

  it('reports a stream that ends the queue', async () => {
    const queue = full('reject')
    const messages: unknown[] = []
    const listen = (message: unknown): void => void messages.push(message)
    subscribe('threadsafe:queue:close', listen)
    await once(queue.writable().end(), 'finish')
    unsubscribe('threadsafe:queue:close', listen)
    assert.equal(messages.length, 1)
  })
})

describe('threadsafe:block', () => {
  const LONG = 120

  it('reports each synchronous call that blocked for over 100 ms, and what it waited for', () => {
    const [empty, none, event] = [new ThreadSafeQueue(1), full('reject'), new ThreadSafeEvent()]
    const calls: [operation: string, sources: unknown[], call: (timeout: number) => unknown][] = [
      ['get', [empty], (timeout) => empty.getSync({ timeout })],
      ['get', [empty], (timeout) => empty.getManySync(5, { timeout })],
      ['put', [none], (timeout) => none.putSync(3, { timeout })],
      ['put', [none], (timeout) => none.putManySync([3, 4], { timeout })],
      ['wait', [event], (timeout) => event.waitSync({ timeout })],
      ['select', [empty, event], (timeout) => selectSync([empty, event], { timeout })],
    ]
    for (const [operation, sources, call] of calls) {
      const patient = (timeout: number) => () => {
        try {
          call(timeout)
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error
        }
      }
      const [message, ...others] = told<BlockMessage>('threadsafe:block', patient(LONG))
      assert.equal(message?.operation, operation)
      assert.equal(message.sources.length, sources.length)
      message.sources.forEach((source, k) => assert.equal(source, sources[k]))
      assert.ok(message.duration >= LONG && message.duration < 5000, `${message.duration} ms`)
      assert.deepEqual(others, [])
      assert.deepEqual(told('threadsafe:block', patient(10)), [])
    }
    assert.deepEqual(
      told('threadsafe:block', () => none.getSync({ timeout: 1000 })),
      [],
    )
  })

  it('reports to each thread only its own calls', async () => {
    const queue = new ThreadSafeQueue<number>(1, { type: 'int32' })
    const here: unknown[] = []
    const listen = (message: unknown): void => void here.push(message)
    subscribe('threadsafe:block', listen)
    const worker = startWorker('diagnostics-worker', queue.handle)
    const ended = finished(worker)
    const [messages] = (await within('what the worker was told', once(worker, 'message'))) as [{ operation: string; duration: number }[]]
    unsubscribe('threadsafe:block', listen)
    assert.deepEqual(
      messages.map(({ operation }) => operation),
      ['get'],
    )
    assert.deepEqual(here, [])
    await ended
  })
})
