/**
 * The puts of one queue object. They stand in a line, and one command at a time takes all that wait:
 * so puts that are made together travel together, stay in order, and one operation number is enough
 * to repeat a command whose reply was lost.
 */
import { clearTimeout, setTimeout } from 'node:timers'
import { QueueClosedError, TimeoutError } from '../errors.js'
import type { Patience } from '../wait/options.js'
import { PendingCall } from './call.js'
import type { Reply } from './client.js'
import type { Server } from './server.js'

/** The most that travels in one command. */
const MOST_ITEMS = 512
const MOST_BYTES = 1 << 20
/** Milliseconds for which a put that is to end waits for the reply to the command that carries it. */
const GRACE = 1000
/** Seconds after which a producer looks for room by itself, should nobody have told it. */
const LOOK_AGAIN = '1'

type Encoded = string | Uint8Array

interface Put {
  readonly call: PendingCall<void>
  readonly items: readonly Encoded[]
  /** The number of its items that the server has accepted. */
  accepted: number
  readonly once: boolean
  readonly counted: boolean
}

interface NamedQueue {
  readonly name: string
  readonly capacity: number
}

export class Producer {
  readonly #server: Server
  readonly #queue: NamedQueue
  readonly #line: Put[] = []
  /** The puts that the command under way carries. They may not fail before its reply. */
  #sent: readonly Put[] = []
  #working = false
  #ended = false
  readonly #block: (name: string, ...args: string[]) => Promise<Reply>

  constructor(server: Server, queue: NamedQueue) {
    this.#server = server
    this.#queue = queue
    this.#block = server.blocking()
  }

  /** `counted`: errors say how many items went in. */
  put(items: readonly Encoded[], patience: Patience, counted: boolean): Promise<void> {
    // A timeout of 0 is one try, however long the server takes to reply.
    const once = patience.timeout === 0
    const call = new PendingCall<void>(once ? { ...patience, timeout: Infinity } : patience, this.#queue)
    const put: Put = { call, items, accepted: 0, once, counted }
    call.onFailure = () => this.#drop(put)
    this.#line.push(put)
    void this.#work()
    return call.promise
  }

  #drop(put: Put): void {
    if (this.#sent.includes(put)) {
      // The reply says whether it went in. While the server is away, nobody can.
      const late = setTimeout(() => this.#fail(put, put.call.failure?.error), GRACE)
      void put.call.promise.catch(() => undefined).finally(() => clearTimeout(late))
      return
    }
    this.#line.splice(this.#line.indexOf(put), 1)
    this.#fail(put, put.call.failure?.error)
  }

  #fail({ call, accepted, counted }: Put, error: unknown): void {
    if (counted && typeof error === 'object' && error !== null && !Object.hasOwn(error, 'count') && Object.isExtensible(error)) {
      Object.assign(error, { count: accepted })
    }
    call.reject(error)
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      // Whoever was woken sends a command in any case, which passes the wake on.
      for (let woken = false; this.#line.length > 0 || woken;) {
        const full = await this.#send(woken)
        woken = full && this.#line.length > 0 && (await this.#room())
      }
    } catch (error) {
      for (const put of this.#line.splice(0)) this.#fail(put, error)
    } finally {
      this.#sent = []
      this.#working = false
    }
  }

  /** Sends what waits; returns whether the queue had no room for all. */
  async #send(woken: boolean): Promise<boolean> {
    const { operation, items, room, state } = this.#server.keys
    const { puts, payload } = this.#load()
    this.#sent = puts
    const [number, life] = this.#server.operation()
    const reply = await this.#server.run('put', [items, state, operation, room], number, life, woken ? '1' : '0', ...payload)
    this.#sent = []
    return this.#settle(puts, Number(reply), payload.length)
  }

  /** As many items from the beginning of the line as travel in one command. */
  #load(): { puts: Put[]; payload: Encoded[] } {
    const puts: Put[] = []
    const payload: Encoded[] = []
    let bytes = 0
    for (const put of this.#line) {
      if (payload.length >= MOST_ITEMS || bytes >= MOST_BYTES) break
      puts.push(put)
      for (let k = put.accepted; k < put.items.length && payload.length < MOST_ITEMS && bytes < MOST_BYTES; k++) {
        const item = put.items[k] as Encoded
        payload.push(item)
        bytes += item.length
      }
    }
    return { puts, payload }
  }

  #settle(puts: readonly Put[], reply: number, sent: number): boolean {
    if (reply < 0) {
      for (const put of this.#line.splice(0)) this.#fail(put, new QueueClosedError(this.#queue))
      return false
    }
    let accepted = reply
    for (const put of puts) {
      const more = Math.min(accepted, put.items.length - put.accepted)
      accepted -= more
      put.accepted += more
      const { call, once } = put
      const full = reply < sent
      if (put.accepted === put.items.length) call.resolve()
      else if (call.failure) this.#fail(put, call.failure.error)
      else if (this.#ended) this.#fail(put, new QueueClosedError(this.#queue))
      else if (once && full) this.#fail(put, new TimeoutError(0, this.#queue))
    }
    for (const put of puts) if (put.call.settled) this.#line.splice(this.#line.indexOf(put), 1)
    return reply < sent
  }

  /** Waits until there is room, or for a second; returns whether somebody said that there is. */
  async #room(): Promise<boolean> {
    return (await this.#block('BLPOP', this.#server.keys.room, LOOK_AGAIN)) !== null
  }

  /** Ends this object's part: what the server has is settled by its reply, the rest rejects. */
  async end(): Promise<void> {
    this.#ended = true
    const sent = this.#sent
    for (const put of this.#line.filter((put) => !sent.includes(put))) {
      this.#line.splice(this.#line.indexOf(put), 1)
      this.#fail(put, new QueueClosedError(this.#queue))
    }
    await Promise.allSettled(sent.map(({ call }) => call.promise))
  }
}
