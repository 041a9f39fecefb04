/** The kinds of queues of the soak, and what one thread has of each queue. */
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import { KINDS as MESSAGES, type Kind } from '../fixtures/staging-items.js'
import { draw, type Ledger, newLedger, notes } from './ledger.js'

export const KINDS: readonly Kind[] = [
  ...MESSAGES,
  { name: 'numbers', type: 'float64', make: (number) => number, read: (number: number) => number },
  { name: 'integers', type: 'bigint64', make: (number) => BigInt(number), read: (number: bigint) => Number(number) },
]

export type Queue = ThreadSafeQueue<unknown, Iterable<unknown>>

export interface SharedSide {
  readonly kind: string
  readonly handle: QueueHandle
  readonly ledger: Ledger
}

export interface Side {
  readonly kind: Kind
  readonly queue: Queue
  readonly ledger: Ledger
  /** Makes the next item of that producer. */
  make(producer: number): unknown
}

export function newSide(kind: Kind, capacity: number, mayLose: boolean): SharedSide & { queue: Queue } {
  const queue = new ThreadSafeQueue(capacity, { type: kind.type as 'any' }) as unknown as Queue
  return { kind: kind.name, handle: queue.handle as QueueHandle, ledger: newLedger(mayLose), queue }
}

export function openSide({ kind: name, handle, ledger }: SharedSide): Side {
  const kind = KINDS.find((one) => one.name === name) as Kind
  const queue = ThreadSafeQueue.from(handle) as unknown as Queue
  return { kind, queue, ledger, make: (producer) => kind.make(draw(ledger, producer)) }
}

/** Makes a function with which one consumer reads an item and notes it. */
export function taker({ kind, ledger }: Side): (item: unknown) => void {
  const note = notes(ledger)
  return (item) => note(kind.read(item as never))
}
