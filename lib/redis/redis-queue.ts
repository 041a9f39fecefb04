/**
 * A queue over Redis or Valkey Streams, with the face of a `ThreadSafeQueue`, for stages in several
 * processes or on several machines. Accepted items are delivered at least once.
 */
import { setImmediate as nextIteration, setTimeout as delay } from 'node:timers/promises'
import type { AsyncQueue } from '../async-queue.js'
import { invalidType, outOfRange, QueueClosedError } from '../errors.js'
import { checkIterable, withCount } from '../lane/batch.js'
import { type ForEachOptions, patience, type WaitOptions } from '../wait/options.js'
import { connectionOf, type RedisClient } from './client.js'
import { type Codec, encode } from './codec.js'
import { Consumer, type Delivery } from './consumer.js'
import { checkKey, checkOptions, type CheckedOptions, openQueue, type RedisQueueOptions } from './opening.js'
import { Producer } from './producer.js'
import { Server } from './server.js'

/** An item and the duty to say what became of it. */
export interface Received<T> {
  /** What was put. */
  readonly value: T
  /** Removes the item from the queue: it has been dealt with. */
  ack(): Promise<void>
  /** Gives the item back: it is delivered again at once, to any consumer. */
  nak(): Promise<void>
}

/** The numbers that `stats()` returns. */
export interface RedisQueueStats {
  /** The items that are not acknowledged, in hand or not: what counts for the capacity. */
  depth: number
  /** The items that were delivered and are not acknowledged yet. */
  inHand: number
  /** The number of deliveries that were not an item's first. */
  redelivered: number
  /** The number of items that could not be decoded and were set aside. */
  poisoned: number
}

/** Milliseconds of items after which a forEach() lets the loop do other work. */
const LONGEST_RUN = 1
/** Milliseconds for which detaching waits for a server that is away. */
const LONGEST_DETACH = 5000

function checkMax(max: unknown): asserts max is number {
  if (typeof max !== 'number') throw invalidType('max', 'a number', max)
  if (!Number.isSafeInteger(max) || max < 1) throw outOfRange('max', 'a whole number >= 1', max)
}

/**
 * A queue that lives on a Redis or Valkey server. Any number of producers and consumers, in any
 * processes. `put` resolves when the server has accepted the item; what was accepted is delivered
 * at least once, though consumers die, and, with append-only persistence, though the server does.
 *
 * @example
 * import { createClient } from 'redis'
 * import { RedisQueue } from 'threadsafe/redis'
 *
 * const client = await createClient().connect()
 * const jobs = await RedisQueue.open<{ id: number }>(client, 'jobs', { capacity: 100 })
 * await jobs.put({ id: 1 })
 * for await (const job of jobs) console.log(job) // acknowledges each job when it asks for the next
 */
export class RedisQueue<T = unknown> implements AsyncQueue<T>, AsyncDisposable {
  /** The key it was opened with. */
  readonly name: string
  /** The most items that may be unacknowledged. */
  readonly capacity: number
  readonly #server: Server
  readonly #codec: Codec<T>
  readonly #deliveries: number
  readonly #producer: Producer
  readonly #consumer: Consumer
  #detached: Promise<void> | undefined

  private constructor(server: Server, key: string, options: CheckedOptions, found: { capacity: number; group: string; closed: boolean }) {
    this.name = key
    this.capacity = found.capacity
    this.#server = server
    this.#codec = options.codec as Codec<T>
    this.#deliveries = options.deliveries
    this.#producer = new Producer(server, this)
    this.#consumer = new Consumer(server, this, {
      group: found.group,
      consumer: options.consumer ?? server.id,
      ackWait: options.ackWait,
    })
    this.#consumer.closed = found.closed
  }

  /**
   * Opens a queue on the server of a connected client of node-redis, ioredis or iovalkey, and makes
   * it if there is none of that key. Rejects if the server would lose what it accepts: without an
   * append-only file (`ERR_REDIS_NOT_PERSISTENT`), with an eviction policy (`ERR_REDIS_EVICTS`),
   * older than 6.2 (`ERR_REDIS_TOO_OLD`), or one of a cluster that does not have the queue's keys
   * (`ERR_REDIS_CLUSTER`). A capacity or group that differs from the queue's is refused with a
   * `TypeError`, a client that is closed with `ERR_REDIS_CLIENT_CLOSED`. Waits up to 10 s for a
   * server that is away or loads its file, and then rejects with `TimeoutError`.
   *
   * @example
   * const orders = await RedisQueue.open<{ id: number }>(client, 'orders', { capacity: 100, ackWait: 10_000 })
   */
  static async open<T = unknown>(client: RedisClient, key: string, options?: RedisQueueOptions<T>): Promise<RedisQueue<T>> {
    const connection = connectionOf(client)
    checkKey(key)
    const checked = checkOptions(options as RedisQueueOptions | undefined)
    const server = new Server(connection, key)
    return new RedisQueue<T>(server, key, checked, await openQueue(server, connection, key, checked))
  }

  /** Whether it is known here to be closed. Another process may have closed it a moment ago. */
  get closed(): boolean {
    return this.#consumer.closed
  }

  /**
   * Puts an item; resolves when the server has accepted it. Full: waits for room, for ever unless
   * there is a `timeout`; `timeout: 0` tries once. Closed or detached: rejects with
   * `QueueClosedError`. Rejects with `TimeoutError`, or with the reason of the signal. Nothing is
   * sent while the server is away; but if the connection broke after the item was sent, the server
   * may have accepted it. What the codec throws rejects before anything is sent.
   *
   * @example
   * await orders.put({ id: 1 }, { timeout: 5000 })
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    const limits = patience(options)
    const encoded = encode(this.#codec, item)
    this.#checkAttached()
    await this.#closing(this.#producer.put([encoded], limits, false))
  }

  /**
   * Puts all items, in as few commands as there is room for. Resolves when the server has accepted
   * the last. Full, closed, timeout and signal as for `put`; what went in stays, and the error has
   * `count`, the number of those. If the codec refuses an item, none goes in.
   *
   * @example
   * await orders.putMany([{ id: 1 }, { id: 2 }])
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    let limits
    let encoded
    try {
      limits = patience(options)
      encoded = Array.from(checkIterable(items) as Iterable<T>, (item) => encode(this.#codec, item))
      this.#checkAttached()
    } catch (error) {
      throw withCount(error, { done: 0 })
    }
    if (encoded.length > 0) await this.#closing(this.#producer.put(encoded, limits, true))
  }

  /**
   * Gets an item and acknowledges it: should this process die, it is lost. `receive` and iterators
   * keep it until it has been dealt with. Empty: waits for an item, for ever unless there is a
   * `timeout`. Closed, and every item acknowledged: rejects with `QueueClosedError`; detached as
   * well. Rejects with `TimeoutError`, or with the reason of the signal, and has taken nothing
   * then.
   *
   * @example
   * const { id } = await orders.get({ timeout: 5000 })
   */
  async get(options?: WaitOptions): Promise<T> {
    const { value, ack } = await this.receive(options)
    void ack().catch(() => undefined)
    return value
  }

  /**
   * Gets at least one item and at most `max`, a whole number from 1, and acknowledges them. It
   * waits only for the first. For the rest see `get`.
   *
   * @example
   * const some = await orders.getMany(100)
   */
  async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    checkMax(max)
    const received = await this.#receiveMany(max, options)
    void this.#consumer.acknowledge(received.ids).catch(() => undefined)
    return received.values
  }

  /**
   * Takes an item that stays in the queue until it is acknowledged. If that does not happen within
   * `ackWait`, it is delivered again. For the rest see `get`.
   *
   * @example
   * const { value, ack, nak } = await orders.receive()
   * await run(value.id).then(ack, nak)
   */
  receive(options?: WaitOptions): Promise<Received<T>> {
    return this.#receive(options, false)
  }

  async #receive(options: WaitOptions | undefined, ahead: boolean): Promise<Received<T>> {
    const { ids, values } = await this.#receiveMany(1, options, ahead)
    let said: Promise<void> | undefined
    const once = (what: () => Promise<void>) => (): Promise<void> => {
      said ??= what().catch((error: unknown) => {
        // The server does not know, so it may be said again.
        said = undefined
        throw error
      })
      return said
    }
    return {
      value: values[0] as T,
      ack: once(() => this.#consumer.acknowledge(ids)),
      nak: once(() => this.#consumer.giveBack(ids)),
    }
  }

  /**
   * Iterates over items until the queue is closed and every item is acknowledged, those in the
   * hands of others included. Asking for the next item acknowledges the one before; `break` and an
   * error give it back. Detached: ends.
   *
   * @example
   * for await (const { id } of orders) await run(id)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#iterate(1, (values) => values[0] as T)
  }

  /**
   * Iterates over batches of at most `max` items, a whole number from 1. It waits only for the
   * first item of each. Asking for the next batch acknowledges the one before. For the rest see the
   * iterator.
   *
   * @example
   * for await (const some of orders.batches(100)) for (const { id } of some) await run(id)
   */
  batches(max: number): AsyncIterableIterator<T[]> {
    checkMax(max)
    return this.#iterate(max, (values) => values)
  }

  /**
   * Calls `fn` for each item, and awaits what it returns before it acknowledges the item and takes
   * the next. Resolves when the queue is closed and every item is acknowledged, or when it is
   * detached. Rejects with what `fn` threw, whose item is given back, or with the reason of the
   * signal.
   *
   * @example
   * await orders.forEach(({ id }) => run(id))
   */
  async forEach(fn: (item: T) => unknown, options?: ForEachOptions): Promise<void> {
    if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn)
    const { signal } = patience(options)
    for (let since = performance.now(); ;) {
      let received
      try {
        received = await this.#receive({ signal }, true)
      } catch (error) {
        if (error instanceof QueueClosedError) return
        throw error
      }
      try {
        await fn(received.value)
      } catch (error) {
        // The server may be away for long.
        received.nak().catch(() => undefined)
        this.#consumer.relax()
        throw error
      }
      received.ack().catch(() => undefined)
      // What was taken in advance comes without an iteration of the loop.
      if (performance.now() - since > LONGEST_RUN) {
        await nextIteration()
        since = performance.now()
      }
    }
  }

  /**
   * Counts that the server keeps of this queue, for all its clients. Works on a closed queue;
   * detached: rejects with `QueueClosedError`.
   *
   * @example
   * const { depth, inHand } = await orders.stats()
   */
  async stats(): Promise<RedisQueueStats> {
    this.#checkAttached()
    const { items, state, poison } = this.#server.keys
    const reply = (await this.#server.run('stats', [items, state, poison], this.#consumer.group)) as number[]
    const [depth = 0, inHand = 0, redelivered = 0, poisoned = 0, closed] = reply
    this.#consumer.closed ||= closed === 1
    return { depth, inHand, redelivered, poisoned }
  }

  /**
   * Closes the queue for all, for good; resolves when the server has done so. Puts that wait, and
   * later ones, reject with `QueueClosedError`. What is in the queue can still be got. Closing
   * twice is no error; detached: rejects with `QueueClosedError`.
   *
   * @example
   * await orders.close()
   */
  async close(): Promise<void> {
    this.#checkAttached()
    const { items, state, room } = this.#server.keys
    await this.#server.run('close', [items, state, room])
    this.#consumer.closed = true
  }

  /**
   * Ends this object and leaves the queue to others: items that it has taken in advance are given
   * back. Calls that wait, and later ones, reject with `QueueClosedError`; iterators end. Resolves
   * within 5 s, also while the server is away. The client stays the user's.
   *
   * @example
   * await orders.detach()
   * client.destroy()
   */
  detach(): Promise<void> {
    this.#detached ??= this.#detach()
    return this.#detached
  }

  /** Detaches; `await using` calls it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.detach()
  }

  async #detach(): Promise<void> {
    this.#consumer.stop()
    // The consumer goes last: it says that this client's operations are over.
    const ended = this.#producer
      .end()
      .then(() => this.#consumer.end())
      .catch(() => undefined)
    const limit = new AbortController()
    await Promise.race([ended, delay(LONGEST_DETACH, undefined, { signal: limit.signal }).catch(() => undefined)])
    limit.abort()
    this.#producer.abandon()
    this.#server.end(new QueueClosedError(this))
  }

  #checkAttached(): void {
    if (this.#detached) throw new QueueClosedError(this)
  }

  async #closing(put: Promise<void>): Promise<void> {
    try {
      await put
    } catch (error) {
      if (error instanceof QueueClosedError) this.#consumer.closed = true
      throw error
    }
  }

  async #receiveMany(max: number, options: WaitOptions | undefined, ahead = false): Promise<{ ids: string[]; values: T[] }> {
    const limits = patience(options)
    for (;;) {
      this.#checkAttached()
      const { ids, values } = await this.#decode(await this.#consumer.take(max, ahead, limits))
      if (values.length > 0) return { ids, values }
    }
  }

  async #decode(deliveries: readonly Delivery[]): Promise<{ ids: string[]; values: T[] }> {
    const ids: string[] = []
    const values: T[] = []
    for (const { id, item } of deliveries) {
      try {
        values.push(this.#codec.decode(item))
        ids.push(id)
      } catch {
        await this.#consumer.poison(id, this.#deliveries).catch((error: unknown) => {
          this.#consumer.giveBack(deliveries.map((one) => one.id)).catch(() => undefined)
          throw error
        })
      }
    }
    return { ids, values }
  }

  #iterate<U>(max: number, convert: (values: T[]) => U): AsyncIterableIterator<U> {
    // Ends a next() that waits, before it has taken anything.
    const ending = new AbortController()
    let inHand: string[] = []
    let ended = false
    const settle = (): string[] => {
      const ids = inHand
      inHand = []
      return ids
    }
    const next = async (): Promise<IteratorResult<U>> => {
      const done = settle()
      if (done.length > 0) void this.#consumer.acknowledge(done).catch(() => undefined)
      if (ended) return { done: true, value: undefined }
      try {
        const { ids, values } = await this.#receiveMany(max, { signal: ending.signal }, true)
        inHand = ids
        return { done: false, value: convert(values) }
      } catch (error) {
        const isEnd = ended || error instanceof QueueClosedError
        ended = true
        if (isEnd) return { done: true, value: undefined }
        throw error
      }
    }
    const leave = (): Promise<IteratorResult<U>> => {
      // The server may be away for long.
      this.#consumer.giveBack(settle()).catch(() => undefined)
      this.#consumer.relax()
      return Promise.resolve({ done: true, value: undefined })
    }
    const end = (): void => {
      ended = true
      ending.abort()
    }
    let last: Promise<unknown> = Promise.resolve()
    const inOrder = <R>(step: () => Promise<R>): Promise<R> => {
      const result = last.then(step)
      last = result.catch(() => undefined)
      return result
    }
    return {
      next: () => inOrder(next),
      return: () => {
        end()
        return inOrder(leave)
      },
      throw: async (error: unknown) => {
        end()
        await inOrder(leave)
        throw error
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
}
