/** The order in which a call with several faults reports them. */
import { strict as assert } from 'node:assert'
import { QueueClosedError, QueueEmptyError, QueueFullError, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { rejection, thrown } from '../support.js'
import { RANGE, TYPE, wrong } from './wrong-calls.js'

describe('the order of checks', () => {
  const reason = new Error('why it was aborted')
  const aborted = AbortSignal.abort(reason)
  const int32 = (n = 1) => new ThreadSafeQueue<number>(n, { type: 'int32' })

  function full(overflow: 'reject' | 'drop-newest' | 'drop-oldest' = 'reject'): ThreadSafeQueue<number, Int32Array> {
    const queue = new ThreadSafeQueue<number>(1, { type: 'int32', overflow })
    queue.putSync(7)
    return queue
  }
  function closed<T, Batch>(queue: ThreadSafeQueue<T, Batch>): ThreadSafeQueue<T, Batch> {
    queue.close()
    return queue
  }
  function fullBytes(): ThreadSafeQueue<Uint8Array> {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes', itemBytes: 4 })
    queue.putSync(new Uint8Array(1))
    return queue
  }
  const long = new Uint8Array(1000)
  const setEvent = (): ThreadSafeEvent => {
    const event = new ThreadSafeEvent()
    event.set()
    return event
  }

  type Expected = string | (abstract new (...args: never[]) => Error) | typeof reason

  function assertIs(error: unknown, expected: Expected): void {
    if (typeof expected === 'string') {
      const { code, name } = error as { code?: unknown; name?: unknown }
      assert.ok(code === expected || name === expected, `${expected}, not ${String(error)}`)
    } else if (typeof expected === 'function') {
      assert.equal((error as Error).constructor, expected, String(error))
    } else {
      assert.equal(error, expected)
    }
  }

  type Case<O> = [what: string, object: () => O, call: (object: O) => unknown, expected: Expected]
  const make = <O>(...row: Case<O>): Case<unknown> => row as Case<unknown>
  const NOT_A_NUMBER = wrong<number>('1')

  const syncCases: Case<unknown>[] = [
    make('options before item: putSync', int32, (q) => q.putSync(NOT_A_NUMBER, { timeout: -1 }), RANGE),
    make(
      'options before closed: putSync',
      () => closed(int32()),
      (q) => q.putSync(1, { timeout: NaN }),
      RANGE,
    ),
    make('options before room: putSync', full, (q) => q.putSync(1, { timeout: -1 }), RANGE),
    make('options before an item to get: getSync', full, (q) => q.getSync({ timeout: -1 }), RANGE),
    make(
      'options before closed: getSync',
      () => closed(int32()),
      (q) => q.getSync(wrong({ block: 1 })),
      TYPE,
    ),
    make('options before empty: getSync', int32, (q) => q.getSync(wrong(5)), TYPE),
    make('a wrong timeout, also where block: false makes it useless', full, (q) => q.getSync({ block: false, timeout: -1 }), RANGE),
    make('options before a set event: waitSync', setEvent, (e) => e.waitSync({ timeout: -1 }), RANGE),
    make(
      'options before closing: close',
      () => closed(int32()),
      (q) => q.close(wrong({ discard: 'yes' })),
      TYPE,
    ),
    make(
      'item before closed: putSync',
      () => closed(int32()),
      (q) => q.putSync(NOT_A_NUMBER),
      TYPE,
    ),
    make(
      'item before closed: tryPut',
      () => closed(int32()),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make('item before room: putSync', full, (q) => q.putSync(NOT_A_NUMBER), TYPE),
    make('item before room: tryPut', full, (q) => q.tryPut(NOT_A_NUMBER), TYPE),
    make(
      'item before room: tryPut that drops the newest',
      () => full('drop-newest'),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make(
      'item before room: tryPut that drops the oldest',
      () => full('drop-oldest'),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make('item before waiting: putSync', full, (q) => q.putSync(NOT_A_NUMBER, { block: true }), TYPE),
    make(
      'too large before closed: putSync',
      () => closed(fullBytes()),
      (q) => q.putSync(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make(
      'too large before closed: tryPut',
      () => closed(fullBytes()),
      (q) => q.tryPut(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make('too large before room: putSync', fullBytes, (q) => q.putSync(long, { timeout: 0 }), 'ERR_ITEM_TOO_LARGE'),
    make(
      'not cloneable before closed',
      () => closed(new ThreadSafeQueue(1)),
      (q) => wrong<ThreadSafeQueue>(q).putSync(() => 1),
      'DataCloneError',
    ),
    make(
      'closed before room: putSync',
      () => closed(full()),
      (q) => q.putSync(1),
      QueueClosedError,
    ),
    make(
      'closed before room: putSync with timeout 0',
      () => closed(full()),
      (q) => q.putSync(1, { timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before room: tryPut',
      () => closed(full()),
      (q) => q.tryPut(1),
      QueueClosedError,
    ),
    make(
      'closed before dropping: tryPut',
      () => closed(full('drop-oldest')),
      (q) => q.tryPut(1),
      QueueClosedError,
    ),
    make(
      'closed before dropping: putSync',
      () => closed(full('drop-newest')),
      (q) => q.putSync(1),
      QueueClosedError,
    ),
    make(
      'closed before empty: getSync',
      () => closed(int32()),
      (q) => q.getSync(),
      QueueClosedError,
    ),
    make(
      'closed before empty: getSync with timeout 0',
      () => closed(int32()),
      (q) => q.getSync({ timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before empty: tryGet',
      () => closed(int32()),
      (q) => q.tryGet(),
      QueueClosedError,
    ),
    make('full, at last', full, (q) => q.putSync(1), QueueFullError),
    make('empty, at last', int32, (q) => q.getSync(), QueueEmptyError),
  ]

  const asyncCases: Case<unknown>[] = [
    make('options before signal: put', int32, (q) => q.put(1, { timeout: -1, signal: aborted }), RANGE),
    make('options before signal: get', int32, (q) => q.get({ timeout: -1, signal: aborted }), RANGE),
    make('into before signal: get', full, (q) => q.get({ into: wrong(5), signal: aborted }), TYPE),
    make('into before signal: getMany', full, (q) => q.getMany(1, { into: wrong(5), signal: aborted }), TYPE),
    make('max before signal: getMany', full, (q) => q.getMany(0, { signal: aborted }), RANGE),
    make('options before signal: wait', setEvent, (e) => e.wait({ timeout: wrong('1'), signal: aborted }), TYPE),
    make('options before item: put', int32, (q) => q.put(NOT_A_NUMBER, { timeout: -1 }), RANGE),
    make(
      'options before closed: get',
      () => closed(int32()),
      (q) => q.get(wrong(null)),
      TYPE,
    ),
    make('signal before item: put', int32, (q) => q.put(NOT_A_NUMBER, { signal: aborted }), reason),
    make(
      'signal before closed: put',
      () => closed(int32()),
      (q) => q.put(1, { signal: aborted }),
      reason,
    ),
    make(
      'signal before closed: get',
      () => closed(int32()),
      (q) => q.get({ signal: aborted }),
      reason,
    ),
    make('signal before room: put', full, (q) => q.put(1, { signal: aborted, timeout: 0 }), reason),
    make('signal before room that is there: put', int32, (q) => q.put(1, { signal: aborted }), reason),
    make('signal before an item that is there: get', full, (q) => q.get({ signal: aborted }), reason),
    make('signal before an event that is set: wait', setEvent, (e) => e.wait({ signal: aborted }), reason),
    make(
      'signal before timeout 0: wait',
      () => new ThreadSafeEvent(),
      (e) => e.wait({ signal: aborted, timeout: 0 }),
      reason,
    ),
    make(
      'item before closed: put',
      () => closed(int32()),
      (q) => q.put(NOT_A_NUMBER),
      TYPE,
    ),
    make('options before items: putMany', int32, (q) => q.putMany(wrong(5), { timeout: -1 }), RANGE),
    make('signal before items: putMany', int32, (q) => q.putMany(wrong(5), { signal: aborted }), reason),
    make(
      'items before closed: putMany',
      () => closed(int32()),
      (q) => q.putMany(wrong(5)),
      TYPE,
    ),
    make('item before room: put', full, (q) => q.put(NOT_A_NUMBER), TYPE),
    make('item before room: put with timeout 0', full, (q) => q.put(NOT_A_NUMBER, { timeout: 0 }), TYPE),
    make(
      'too large before closed: put',
      () => closed(fullBytes()),
      (q) => q.put(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make('too large before waiting: put', fullBytes, (q) => q.put(long), 'ERR_ITEM_TOO_LARGE'),
    make(
      'not cloneable before closed: put',
      () => closed(new ThreadSafeQueue(1)),
      (q) => wrong<ThreadSafeQueue>(q).put(() => 1),
      'DataCloneError',
    ),
    make(
      'closed before room: put',
      () => closed(full()),
      (q) => q.put(1),
      QueueClosedError,
    ),
    make(
      'closed before room: put with timeout 0',
      () => closed(full()),
      (q) => q.put(1, { timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before empty: get',
      () => closed(int32()),
      (q) => q.get(),
      QueueClosedError,
    ),
    make(
      'closed before empty: get with timeout 0',
      () => closed(int32()),
      (q) => q.get({ timeout: 0 }),
      QueueClosedError,
    ),
    make('no room in time, at last: put', full, (q) => q.put(1, { timeout: 0 }), TimeoutError),
    make('no item in time, at last: get', int32, (q) => q.get({ timeout: 0 }), TimeoutError),
  ]

  const stateOf = (object: unknown): unknown =>
    object instanceof ThreadSafeQueue ? [object.qsize(), object.closed] : (object as ThreadSafeEvent).isSet()

  for (const [what, makeObject, call, expected] of syncCases) {
    it(what, () => {
      const object = makeObject()
      const before = stateOf(object)
      assertIs(
        thrown(() => call(object)),
        expected,
      )
      assert.deepEqual(stateOf(object), before)
    })
  }
  for (const [what, makeObject, call, expected] of asyncCases) {
    it(what, async () => {
      const object = makeObject()
      const before = stateOf(object)
      assertIs(await rejection(call(object) as Promise<unknown>), expected)
      assert.deepEqual(stateOf(object), before)
    })
  }
})
