/** The kinds of queues of the soak, and what one thread has of each queue. */
import { type IntoOption, type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import { KINDS as MESSAGES, type Kind, SHORT_KINDS } from '../fixtures/staging-items.js'
import { draw, type Ledger, newLedger, notes } from './ledger.js'

/** The most items of a batch: more than a queue of the soak holds. */
export const MOST_IN_BATCH = 100

export const KINDS: readonly Kind[] = [...MESSAGES, ...SHORT_KINDS]

type Space = NonNullable<IntoOption['into']>

/** Arrays for `into`, for the kinds whose single items go into one. */
const ITEM_SPACES: Readonly<Record<string, () => Space>> = {
  arrays: () => new Float64Array(150),
  'bytes of fixed length': () => new Uint8Array(24),
}

/** The same for the kinds whose batches go into one. */
const BATCH_SPACES: Readonly<Record<string, () => Space>> = {
  numbers: () => new Float64Array(MOST_IN_BATCH),
  'whole numbers': () => new Uint32Array(MOST_IN_BATCH),
  'signed numbers': () => new Int32Array(MOST_IN_BATCH),
  bigints: () => new BigInt64Array(MOST_IN_BATCH),
  'unsigned bigints': () => new BigUint64Array(MOST_IN_BATCH),
}

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

/** Options of gets. Where `into` does not fit the kind it is left out. */
interface Into {
  // The compiler does not know the kind.
  readonly into: undefined
}

export function itemInto({ kind }: Side): Into {
  return { into: ITEM_SPACES[kind.name]?.() as undefined }
}

export function batchInto({ kind }: Side): Into {
  return { into: BATCH_SPACES[kind.name]?.() as undefined }
}
