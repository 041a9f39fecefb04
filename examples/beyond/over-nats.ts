/**
 * The queues on a NATS server with JetStream: `NATS_URL`, or that of this machine. A stream with
 * retention for work queues is bounded by its number of messages. JetStream has no call that waits
 * for room and none that closes: the first is tried again, and a queue is closed when its stream
 * listens to another subject. An error of the server ends the stage, which is started again.
 */
import { AckPolicy, DiscardPolicy, jetstreamManager, type JetStreamManager, JetStreamApiError, RetentionPolicy } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import { setTimeout as delay } from 'node:timers/promises'
import { QueueClosedError } from 'threadsafe'
import type { Codec } from 'threadsafe/redis'
import { messagePack } from './codec.js'
import { ACK_WAIT, CAPACITY, type Queues } from './places.js'
import type { Block, Part, Sink, Source } from './stages.js'

const CONSUMER = 'stage'
/** What the server says of a message for which its stream has no room. */
const MAXIMUM_MESSAGES_EXCEEDED = 10077
/**
 * Milliseconds for which a get waits before it looks whether the queue is closed: the least that
 * the client takes.
 */
const LOOK_AGAIN = 1000
/**
 * Milliseconds between tries to put into a queue that is full: doubled from the first to the last.
 */
const FIRST_PAUSE = 1
const LAST_PAUSE = 64

class JetStreamQueue<T> implements Source<T>, Sink<T> {
  readonly #manager: JetStreamManager
  readonly #name: string
  readonly #codec: Codec<T>

  private constructor(manager: JetStreamManager, name: string, codec: Codec<T>) {
    this.#manager = manager
    this.#name = name
    this.#codec = codec
  }

  static async open<T>(manager: JetStreamManager, name: string): Promise<JetStreamQueue<T>> {
    const config = { subjects: [`${name}.open`], retention: RetentionPolicy.Workqueue, max_msgs: CAPACITY, discard: DiscardPolicy.New }
    await manager.streams.info(name).catch(() => manager.streams.add({ name, ...config }))
    await manager.consumers.add(name, { durable_name: CONSUMER, ack_policy: AckPolicy.Explicit, ack_wait: nanos(ACK_WAIT) })
    return new JetStreamQueue(manager, name, messagePack<T>())
  }

  async put(item: T): Promise<void> {
    const bytes = this.#codec.encode(item)
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      try {
        await this.#manager.jetstream().publish(`${this.#name}.open`, bytes)
        return
      } catch (error) {
        const isFull = error instanceof JetStreamApiError && error.code === MAXIMUM_MESSAGES_EXCEEDED
        if (!isFull) throw (await this.#look()).closed ? new QueueClosedError({ name: this.#name, capacity: CAPACITY }) : error
      }
      await delay(pause)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    const consumer = await this.#manager.jetstream().consumers.get(this.#name, CONSUMER)
    for (;;) {
      const message = await consumer.next({ expires: LOOK_AGAIN })
      if (message) {
        let done = false
        try {
          yield this.#codec.decode(Buffer.from(message.data))
          done = true
        } finally {
          // The server's reply is awaited: the item is gone before anybody finds the queue drained.
          if (done) await message.ackAck()
          else message.nak()
        }
        if (message.info.pending > 0) continue
      }
      const { closed, left } = await this.#look()
      if (closed && left === 0) return
    }
  }

  async close(): Promise<void> {
    await this.#manager.streams.update(this.#name, { subjects: [`${this.#name}.closed`] })
  }

  async remove(): Promise<void> {
    await this.#manager.streams.delete(this.#name)
  }

  async #look(): Promise<{ closed: boolean; left: number }> {
    const { config, state } = await this.#manager.streams.info(this.#name)
    return { closed: config.subjects[0] === `${this.#name}.closed`, left: state.messages }
  }
}

export async function openOverNats(run: string): Promise<Queues> {
  const connection = await connect({ servers: process.env.NATS_URL, maxReconnectAttempts: -1 })
  const manager = await jetstreamManager(connection)
  const blocks = await JetStreamQueue.open<Block>(manager, `${run}-blocks`)
  const parts = await JetStreamQueue.open<Part>(manager, `${run}-parts`)
  return {
    blocks,
    parts,
    end: () => connection.close(),
    async remove() {
      await Promise.all([blocks.remove(), parts.remove()])
      await connection.close()
    },
  }
}
