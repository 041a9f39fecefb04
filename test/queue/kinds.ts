/** A queue of each element type. */
import { strict as assert } from 'node:assert'
import { type ElementType, record, type ThreadSafeQueue } from '../../lib/index.js'

export const point = record({ x: 'int32', y: 'float64' })

/** Each element type, and a function that makes its kth item. Items differ. */
export const KINDS: [name: string, type: ElementType, item: (k: number) => unknown][] = [
  ['float64', 'float64', (k) => k + 0.5],
  ['float32', 'float32', (k) => k + 0.5],
  ['int8', 'int8', (k) => (k % 256) - 128],
  ['uint8', 'uint8', (k) => k % 256],
  ['int16', 'int16', (k) => 100 - k],
  ['uint16', 'uint16', (k) => k],
  ['int32', 'int32', (k) => 100 - k],
  ['uint32', 'uint32', (k) => 0xffffffff - k],
  ['bigint64', 'bigint64', (k) => -BigInt(k)],
  ['biguint64', 'biguint64', (k) => 2n ** 64n - 1n - BigInt(k)],
  ['boolean', 'boolean', (k) => k % 3 === 0],
  ['any', 'any', (k) => ({ k })],
  ['string', 'string', (k) => `item ${k}`],
  ['bytes', 'bytes', (k) => new Uint8Array([k, k >> 8])],
  ['record', point, (k) => ({ x: k, y: -k })],
]

/** Fails unless the queue reports that many items. */
export function assertHolds(queue: ThreadSafeQueue<unknown, unknown>, items: number): void {
  assert.equal(queue.qsize(), items)
  assert.equal(queue.empty(), items === 0)
  assert.equal(queue.full(), items === queue.capacity)
}
