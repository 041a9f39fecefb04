/**
 * A worker of the soak, in the role that its workerData names. Any error is a violation, and the
 * main thread ends the soak when it receives one. Workers in some roles are terminated at any
 * instant.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  BufferPool,
  type BufferPoolHandle,
  type EventHandle,
  Lock,
  type LockHandle,
  Message,
  type MessageHandle,
  type QueueHandle,
  type RecordHandle,
  select,
  selectSync,
  SharedRecord,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from '../../lib/index.js'
import { random } from '../fixtures/random.js'
import { MOST_IN_HAND, type Role } from './roles.js'
import { enter } from './section.js'
import { batchInto, itemInto, openSide, type SharedSide, taker } from './sides.js'

export interface SoakTask {
  readonly role: Role
  /** A word that is 1 when the soak ends. */
  readonly stop: Int32Array
  readonly sides: readonly SharedSide[]
  /** The number of this producer in each ledger, or the queue that this victim works on. */
  readonly pick: number
  readonly producer: number
  readonly shared: SharedHandles
  readonly seed: number
}

export interface SharedHandles {
  readonly lock: LockHandle
  readonly section: Int32Array
  readonly record: RecordHandle<{ steady: number; victims: number }>
  readonly message: MessageHandle<{ n: number; square: number }>
  readonly pool: BufferPoolHandle<Float64Array>
  readonly tokens: QueueHandle<number>
  readonly ping: QueueHandle<number>
  readonly pong: QueueHandle<number>
  readonly event: EventHandle
  readonly echo: EventHandle
}

const task = workerData as SoakTask
const { stop, producer, pick, shared, seed } = task
const chance = random(seed)
const below = (limit: number): number => Math.floor(chance() * limit)
const sides = task.sides.map(openSide)
const side = sides[pick] as (typeof sides)[number]
const running = (): boolean => Atomics.load(stop, 0) === 0
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
/** Returns a batch size. Most are small, and some are longer than the queue. */
const some = (): number => (chance() < 0.05 ? 100 : 1 + below(MOST_IN_HAND))

/** Returns undefined instead of throwing TimeoutError, since the soak may end meanwhile. */
function unlessLate<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof TimeoutError) return undefined
    throw error
  }
}

const ROLES: Record<Role, () => unknown> = {
  /** Blocks in puts, one queue after another. */
  putters() {
    while (running()) {
      for (const one of sides) one.queue.putSync(one.make(producer), { block: true })
      const one = sides[below(sides.length)] as typeof side
      one.queue.putManySync(
        Array.from({ length: some() }, () => one.make(producer)),
        { block: true },
      )
    }
  },
  /** Runs an event loop with a producer for each queue. */
  async asyncPutters() {
    await Promise.all(
      sides.map(async (one) => {
        while (running()) {
          await one.queue.put(one.make(producer))
          await one.queue.putMany(Array.from({ length: some() }, () => one.make(producer)))
          if (chance() < 0.01) await pause(1)
        }
      }),
    )
  },
  /** Gets from one queue after another, in each way of a thread that may block. */
  getters() {
    const takers = sides.map(taker)
    const spaces = sides.map((one) => [itemInto(one), batchInto(one)] as const)
    const queues = sides.map(({ queue }) => queue)
    while (running()) {
      for (const [k, queue] of queues.entries()) {
        const take = takers[k] as (item: unknown) => void
        const [itemSpace, batchSpace] = spaces[k] as (typeof spaces)[number]
        const item = unlessLate(() => queue.getSync({ timeout: 2, ...itemSpace }))
        if (item === undefined) continue
        take(item)
        for (const more of unlessLate(() => queue.getManySync(some(), { timeout: 1, ...batchSpace })) ?? []) take(more)
        const more = queue.tryGet()
        if (more !== undefined) take(more)
      }
      const selected = unlessLate(() => selectSync(queues, { timeout: 2 }))
      if (selected) takers[selected.index]?.(selected.item)
    }
  },
  /** Sends back each item, and blocks in between. This measures how long a thread takes to wake. */
  echo() {
    const ping = ThreadSafeQueue.from(shared.ping)
    const pong = ThreadSafeQueue.from(shared.pong)
    while (running()) {
      const item = unlessLate(() => ping.getSync({ timeout: 100 }))
      if (item !== undefined) pong.putSync(item)
    }
  },
  /** Sets one event for each time that the other is set. */
  echoEvent() {
    const event = ThreadSafeEvent.from(shared.event)
    const echo = ThreadSafeEvent.from(shared.echo)
    while (running()) {
      if (!event.waitSync({ timeout: 100 })) continue
      event.clear()
      echo.set()
    }
  },
  /** Enters sections, updates the record and sets messages. It is never killed. */
  async sharer() {
    const lock = Lock.from(shared.lock)
    const record = SharedRecord.from(shared.record)
    const message = Message.from(shared.message)
    for (let n = 1; running(); n++) {
      const held = n % 2 === 0 ? lock.acquireSync() : await lock.acquire()
      enter(held, shared.section)
      held.release()
      record.update(({ steady }) => ({ steady: steady + 1 }))
      message.set({ n, square: n * n })
      if (n % 50 === 0) await pause(1)
    }
  },
  /** Fills buffers, and passes them on as tokens. */
  lender() {
    const pool = BufferPool.from(shared.pool)
    const tokens = ThreadSafeQueue.from(shared.tokens)
    for (let n = 1; running(); n++) {
      const lease = unlessLate(() => pool.lendSync({ timeout: 100 }))
      if (!lease) continue
      lease.data.fill(n)
      // putSync() does not fail: the queue has room for as many tokens as there are buffers.
      tokens.putSync(lease.pass())
    }
  },

  // The roles below are those of victims.
  put() {
    for (;;) side.queue.putSync(side.make(producer), { block: true })
  },
  async putAsync() {
    for (;;) await side.queue.put(side.make(producer))
  },
  async putMany() {
    for (;;) await side.queue.putMany(Array.from({ length: 1 + below(MOST_IN_HAND) }, () => side.make(producer)))
  },
  get() {
    const take = taker(side)
    for (;;) take(side.queue.getSync({ block: true }))
  },
  forEach() {
    return side.queue.forEach(taker(side))
  },
  async iterate() {
    const take = taker(side)
    for await (const item of side.queue) take(item)
  },
  async batches() {
    const take = taker(side)
    for await (const batch of side.queue.batches(MOST_IN_HAND)) for (const item of batch) take(item)
  },
  async select() {
    const takers = sides.map(taker)
    for (;;) {
      const { index, item } = await select(sides.map(({ queue }) => queue))
      takers[index]?.(item)
    }
  },
  selectSync() {
    const takers = sides.map(taker)
    for (;;) {
      const { index, item } = selectSync(sides.map(({ queue }) => queue))
      takers[index]?.(item)
    }
  },
  async poll() {
    const take = taker(side)
    for (;;) {
      const item = side.queue.tryGet()
      if (item === undefined) await pause(1)
      else take(item)
    }
  },
  async impatient() {
    const take = taker(side)
    for (;;) {
      const item = await side.queue.get({ timeout: 1 }).catch(() => undefined)
      if (item !== undefined) take(item)
    }
  },
  /** Is killed inside sections, updates and waits, and with leases in hand. */
  async share() {
    const lock = Lock.from(shared.lock)
    const record = SharedRecord.from(shared.record)
    const message = Message.from(shared.message)
    const pool = BufferPool.from(shared.pool)
    for (let n = 1; ; n++) {
      const held = n % 2 === 0 ? lock.acquireSync() : await lock.acquire()
      enter(held, shared.section)
      held.release()
      record.update(({ victims }) => ({ victims: victims + 1 }))
      // Never gives this lease back. The buffer returns to the pool when the thread ends.
      if (n === 1) pool.tryLend()?.data.fill(-n)
      const lease = pool.tryLend()
      await Promise.race([message.wait({ timeout: 5 }).catch(() => undefined), pause(1)])
      lease?.release()
    }
  },
}

parentPort?.postMessage('begins')
await ROLES[task.role]()
