/**
 * The public types as a compiler sees them. The code here must compile, and lines marked as errors
 * must not.
 */
import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'
import {
  type ElementType,
  type EventHandle,
  type NumericType,
  type IntoOption,
  type QueueHandle,
  type QueueOptions,
  record,
  type RecordOf,
  type SignalInfo,
  signalInfo,
  type SyncWaitOptions,
  ThreadSafeEvent,
  ThreadSafeQueue,
  type WaitOptions,
} from '../../lib/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(yes: Same<A, B>): void {
  assert.equal(yes, true)
}

describe('the package', () => {
  it('is the same by import() and by require()', async () => {
    const required = createRequire(import.meta.url)('threadsafe') as { ThreadSafeQueue: unknown }
    const imported = await import('threadsafe')
    assert.equal(required.ThreadSafeQueue, imported.ThreadSafeQueue)
    assert.equal(imported.ThreadSafeQueue, ThreadSafeQueue)
  })
})

describe('the types', () => {
  it('of a queue follow its items', async () => {
    const queue = new ThreadSafeQueue<number>(3, { type: 'float64' })
    queue satisfies AsyncIterable<number> & Disposable & AsyncDisposable
    queue.handle satisfies QueueHandle<number>
    same<ReturnType<typeof queue.getSync>, number>(true)
    same<ReturnType<typeof queue.tryGet>, number | undefined>(true)
    same<ReturnType<typeof queue.get>, Promise<number>>(true)
    same<ReturnType<typeof queue.put>, Promise<void>>(true)
    same<ReturnType<typeof queue.tryPut>, boolean>(true)
    same<Parameters<typeof queue.putSync>, [item: number, options?: SyncWaitOptions]>(true)
    same<Parameters<typeof queue.get>, [options?: WaitOptions & IntoOption<never>]>(true)
    same<ReturnType<typeof queue.ref>, ThreadSafeQueue<number, Float64Array>>(true)
    const other = ThreadSafeQueue.from(queue.handle)
    same<typeof other, ThreadSafeQueue<number, Float64Array>>(true)
    assert.equal(other.capacity, 3)
    // @ts-expect-error a string is no number
    assert.throws(() => queue.putSync('text'), TypeError)
    // @ts-expect-error a queue is no handle
    assert.throws(() => ThreadSafeQueue.from(queue), TypeError)
    queue.putSync(1)
    for await (const item of queue) {
      same<typeof item, number>(true)
      assert.equal(item, 1)
      break
    }
  })

  it('of items are unknown by default', () => {
    const queue = new ThreadSafeQueue(1)
    same<typeof queue, ThreadSafeQueue<unknown>>(true)
    queue.putSync({ any: 'thing' })
    same<ReturnType<typeof queue.getSync>, unknown>(true)
  })

  it('of options allow only what exists', () => {
    const options = { type: 'any', itemBytes: 8, overflow: 'drop-oldest' } satisfies QueueOptions
    assert.equal(new ThreadSafeQueue(1, options).type, 'any')
    // @ts-expect-error no such type
    assert.throws(() => new ThreadSafeQueue(1, { type: 'number' }), TypeError)
    // @ts-expect-error no such policy
    assert.throws(() => new ThreadSafeQueue(1, { overflow: 'block' }), TypeError)
    // @ts-expect-error synchronous calls can't be cancelled
    assert.equal(new ThreadSafeEvent().waitSync({ timeout: 0, signal: AbortSignal.abort() }), false)
    const numeric: NumericType = 'int8'
    numeric satisfies ElementType
  })

  it('of records follow their fields', () => {
    const type = record({ x: 'float64', t: 'biguint64', on: 'boolean' })
    same<RecordOf<(typeof type)['fields']>, { x: number; t: bigint; on: boolean }>(true)
    const queue = new ThreadSafeQueue<RecordOf<typeof type.fields>>(1, { type })
    queue.putSync({ x: 1, t: 2n, on: false })
    // @ts-expect-error no such field type
    assert.throws(() => record({ x: 'double' }), TypeError)
    same<SignalInfo['timestamp'], bigint>(true)
    signalInfo satisfies ElementType
  })

  it('of an event', () => {
    const event = new ThreadSafeEvent()
    event.handle satisfies EventHandle
    same<ReturnType<typeof event.wait>, Promise<void>>(true)
    same<ReturnType<typeof event.waitSync>, boolean>(true)
    // @ts-expect-error another class's handle
    assert.throws(() => ThreadSafeEvent.from(new ThreadSafeQueue(1).handle), TypeError)
  })
})
