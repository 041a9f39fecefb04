/** Compares a queue of 'any' with structuredClone. */
import { strict as assert } from 'node:assert'
import { inspect } from 'node:util'
import { ThreadSafeQueue } from '../../lib/index.js'
import type fc from '../properties.js'
import { values } from './clone-values.js'
import { rejection, repetitions, thrown } from '../support.js'

export function runs(most: number): fc.Parameters<unknown> {
  return { numRuns: repetitions(most) }
}

export const large = (): ThreadSafeQueue => new ThreadSafeQueue(50_000)

export const MODULE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])

export function assertDataCloneError(error: unknown): void {
  assert.ok(error instanceof DOMException, `${inspect(error)} is no DOMException`)
  assert.equal(error.name, 'DataCloneError')
  assert.equal(error.code, DOMException.DATA_CLONE_ERR)
}

/**
 * Asserts that every way into a queue refuses the values that `make` makes, and that nothing is
 * queued.
 */
export async function assertRefused(make: () => unknown): Promise<void> {
  const queue = large()
  queue.putSync('first')
  for (const error of [
    thrown(() => queue.putSync(make())),
    thrown(() => queue.putSync(make(), { timeout: 1 })),
    thrown(() => queue.tryPut(make())),
    thrown(() => queue.putManySync(['good', make()])),
    await rejection(queue.put(make())),
    await rejection(queue.putMany(['good', make()])),
  ]) {
    assertDataCloneError(error)
    assert.equal(queue.qsize(), 1)
  }
  queue.putSync({ last: 1 })
  assert.deepEqual([queue.getSync(), queue.getSync()], ['first', { last: 1 }])
}

/**
 * Returns the result of structuredClone. Returns undefined if it refuses, or can't read what it has
 * written: Node 20 can't for errors in their own cause.
 */
export function cloned(value: unknown): { clone: unknown } | undefined {
  try {
    return { clone: structuredClone(value) }
  } catch {
    return undefined
  }
}

export const clonable = values.filter((value) => cloned(value) !== undefined)

/** The ways of one item through a queue. */
export const WAYS: ((queue: ThreadSafeQueue, item: unknown) => unknown)[] = [
  (queue, item) => {
    queue.putSync(item)
    return queue.getSync()
  },
  (queue, item) => {
    assert.equal(queue.tryPut(item), true)
    return queue.tryGet()
  },
  (queue, item) => {
    assert.equal(queue.putManySync([item, item]), 2)
    const [first] = queue.getManySync(2) as unknown[]
    return first
  },
]
