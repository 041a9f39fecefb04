/** The async iterator: it ends with the queue, and loses no item. */
import { strict as assert } from 'node:assert'
import { ThreadSafeQueue } from '../../lib/index.js'
import { rejection, loopIterations, within } from '../support.js'
import { fullOf, isPending, numbers } from './pending.js'

describe('iterating', () => {
  const all = async (queue: ThreadSafeQueue<number>): Promise<number[]> => {
    const items: number[] = []
    for await (const item of queue) items.push(item)
    return items
  }

  it('ends when the queue is closed and drained', async () => {
    const queue = fullOf(1, 2, 3)
    queue.close()
    assert.deepEqual(await all(queue), [1, 2, 3])
    assert.deepEqual(await all(queue), [])
  })

  it('ends when the queue is closed while it waits', async () => {
    const queue = numbers(2)
    const items = all(queue)
    await queue.put(1)
    assert.equal(await isPending(items), true)
    queue.putSync(2)
    queue.close()
    assert.deepEqual(await within('the end of the iteration', items), [1, 2])
  })

  it('loses no item by break, return or an error', async () => {
    const queue = fullOf(1, 2, 3, 4, 5)
    for await (const item of queue) {
      assert.equal(item, 1)
      break
    }
    const leave = async (): Promise<number> => {
      for await (const item of queue) return item
      return -1
    }
    assert.equal(await leave(), 2)
    const fail = async (): Promise<void> => {
      for await (const item of queue) throw new Error(`at ${item}`)
    }
    assert.equal(((await rejection(fail())) as Error).message, 'at 3')
    await loopIterations()
    assert.equal(queue.qsize(), 2)
    queue.close()
    assert.deepEqual(await all(queue), [4, 5])
  })

  it('return() while a next() is pending ends that next() with done, and takes nothing', async () => {
    const queue = numbers(2)
    const iterator = queue[Symbol.asyncIterator]()
    const pending = [iterator.next(), iterator.next()]
    assert.equal(await isPending(Promise.race(pending)), true)
    // An item is there by now, but the loop has not run yet.
    queue.putSync(1)
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    for (const result of await within('both', Promise.all(pending))) assert.deepEqual(result, { value: undefined, done: true })
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
    await loopIterations()
    assert.equal(queue.qsize(), 1)
    // The queue must be open still, as only the iteration has ended.
    assert.equal(await queue.get(), 1)
    assert.equal(queue.closed, false)
  })

  it('return() ends it also when nothing is pending', async () => {
    const queue = fullOf(1, 2)
    const iterator = queue[Symbol.asyncIterator]()
    assert.deepEqual(await iterator.next(), { value: 1, done: false })
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
    assert.equal(queue.qsize(), 1)
  })

  it('return() leaves other calls in the line', async () => {
    const queue = numbers(4)
    const one = queue[Symbol.asyncIterator]()
    const other = queue[Symbol.asyncIterator]()
    const results = [one.next(), other.next(), queue.get(), one.next(), other.next()]
    await one.return?.()
    for (const item of [1, 2, 3]) queue.putSync(item)
    assert.deepEqual(await within('all', Promise.all(results)), [
      { value: undefined, done: true },
      { value: 1, done: false },
      2,
      { value: undefined, done: true },
      { value: 3, done: false },
    ])
  })

  it('return() of an iterator whose next() has just been served does no harm to the line', async () => {
    const queue = numbers(4)
    const iterator = queue[Symbol.asyncIterator]()
    const first = queue.get().then(() => iterator.return?.())
    const served = iterator.next()
    const others = [queue.get(), queue.get()]
    assert.equal(await isPending(Promise.race([first, served, ...others])), true)
    // One loop iteration serves both, and the first one's continuation runs before the second is
    // served.
    queue.putSync(1)
    queue.putSync(2)
    await within('the first two', Promise.all([first, served]))
    assert.deepEqual(await served, { value: 2, done: false })
    queue.putSync(3)
    queue.putSync(4)
    assert.deepEqual(await within('those behind', Promise.all(others)), [3, 4])
  })

  it('serves several next() at once in order, and ends them all', async () => {
    const queue = numbers(4)
    const iterator = queue[Symbol.asyncIterator]()
    assert.equal(iterator[Symbol.asyncIterator](), iterator)
    const results = Array.from({ length: 5 }, () => iterator.next())
    for (const item of [1, 2, 3]) queue.putSync(item)
    queue.close()
    assert.deepEqual(
      (await within('all', Promise.all(results))).map(({ value, done }) => [value as unknown, done]),
      [[1, false], [2, false], [3, false], [undefined, true], [undefined, true]],
    ) // prettier-ignore
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
  })

  it('by several loops gives each item to one of them', async () => {
    const queue = numbers(3)
    const lists = [all(queue), all(ThreadSafeQueue.from(queue.handle)), all(queue)]
    for (let k = 0; k < 500; k++) await queue.put(k)
    queue.close()
    const items = (await within('all loops', Promise.all(lists))).flat().sort((a, b) => a - b)
    assert.deepEqual(
      items,
      Array.from({ length: 500 }, (_, k) => k),
    )
  })
})
