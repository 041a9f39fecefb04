/**
 * The puts of one queue object. They stand in a line, and one command at a time takes all that
 * wait: so puts that are made together travel together, stay in order, and one operation number is
 * enough to repeat a command whose reply was lost.
 */
import { type Named, QueueClosedError, TimeoutError } from '../errors.js'
import { withCount } from '../lane/batch.js'
import type { Patience } from '../wait/options.js'
import { GRACE, PendingCall } from './call.js'
import type { Server } from './server.js'

/** The most items in one command. */
const MOST_ITEMS = 512
/** The length of a command, in bytes or characters, from which on no item is added to it. */
const LONG_ENOUGH = 1 << 20
/**
 * Milliseconds after which a producer looks for room, should a wake have been lost with the server.
 */
const LOOK_AGAIN = 1000

type Encoded = string | Uint8Array

interface Put {
  readonly call: PendingCall<void>
  readonly items: readonly Encoded[]
  /** The number of its items that the server has accepted. */
  accepted: number
  readonly once: boolean
  readonly counted: boolean
}

/** The items that one attempt of a command carries: so many from each put. */
interface Load {
  readonly parts: { readonly put: Put; readonly count: number }[]
  readonly payload: Encoded[]
}

export class Producer {
  readonly #server: Server
  readonly #queue: Named
  #line: Put[] = []
  /** The puts in the latest attempt. Each waits a while for the reply before it fails. */
  #sent: Load['parts'] = []
  #working = false
  #ended = false
  /** Whether the queue was full, and the first in the line waits for room. */
  #waitsForRoom = false
  readonly #block: ReturnType<Server['blocking']>

  constructor(server: Server, queue: Named) {
    this.#server = server
    this.#queue = queue
    this.#block = server.blocking()
  }

  /** `counted`: errors say how many items went in. */
  put(items: readonly Encoded[], patience: Patience, counted: boolean): Promise<void> {
    const once = patience.timeout === 0
    if (once && this.#waitsForRoom) {
      const error = new TimeoutError(0, this.#queue)
      return Promise.reject(counted ? (withCount(error, { done: 0 }) as Error) : error)
    }
    // A put that tries once may have to wait until those before it have been sent.
    const call = new PendingCall<void>(patience, this.#queue, once ? GRACE : patience.timeout)
    const put: Put = { call, items, accepted: 0, once, counted }
    call.onFailure = () => this.#giveUp(put)
    this.#line.push(put)
    void this.#work()
    return call.promise
  }

  #giveUp(put: Put): void {
    const drop = (): void => {
      this.#fail(put, put.call.failure?.error)
      this.#line = this.#line.filter((one) => one !== put)
    }
    // Only the reply tells whether it went in.
    if (this.#sent.some((part) => part.put === put)) put.call.afterGrace(drop)
    else drop()
  }

  #fail({ call, accepted, counted }: Put, error: unknown): void {
    call.reject(counted ? withCount(error, { done: accepted }) : error)
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    // Puts that are made together travel together.
    await undefined
    // A producer that was woken sends a command in any case, which passes the wake on.
    for (let woken = false; this.#line.length > 0 || woken;) {
      try {
        const full = await this.#send(woken)
        woken = false
        woken = full && this.#line.length > 0 && (await this.#room())
      } catch (error) {
        woken = false
        // A refusal is for the puts in that command; those behind them are sent in the next.
        const refused = this.#sent.length > 0 ? this.#sent.map(({ put }) => put) : this.#line
        for (const put of refused) this.#fail(put, error)
        this.#tidy()
      }
    }
    this.#working = false
  }

  /** Sends what waits; returns whether the queue had no room for all. */
  async #send(woken: boolean): Promise<boolean> {
    this.#sent = []
    const { operation, items, room, state } = this.#server.keys
    const [number, life] = this.#server.operation()
    // Each attempt carries what waits by then. The reply says which of them the server has
    // executed.
    const attempts: Load[] = []
    const reply = await this.#server.again(() => {
      const load = this.#load()
      const attempt = String(attempts.push(load) - 1)
      this.#sent = load.parts
      return this.#server.runOnce('put', [items, state, operation, room], number, life, woken ? '1' : '0', attempt, ...load.payload)
    })
    this.#sent = []
    const [accepted = 0, attempt = 0] = reply as number[]
    return this.#settle(attempts[attempt] as Load, accepted)
  }

  /** Takes as many items from the beginning of the line as fit in one command. */
  #load(): Load {
    const parts: Load['parts'] = []
    const payload: Encoded[] = []
    let length = 0
    for (const put of this.#line) {
      if (payload.length >= MOST_ITEMS || length >= LONG_ENOUGH) break
      const from = payload.length
      for (let k = put.accepted; k < put.items.length && payload.length < MOST_ITEMS && length < LONG_ENOUGH; k++) {
        const item = put.items[k] as Encoded
        payload.push(item)
        length += item.length
      }
      parts.push({ put, count: payload.length - from })
    }
    return { parts, payload }
  }

  #settle({ parts, payload }: Load, reply: number): boolean {
    if (reply < 0) {
      this.#rejectAll()
      return false
    }
    const full = reply < payload.length
    let accepted = reply
    for (const { put, count } of parts) {
      const { call, items, once } = put
      const more = Math.min(accepted, count)
      accepted -= more
      put.accepted += more
      if (put.accepted === items.length) call.resolve()
      else if (call.failure) this.#fail(put, call.failure.error)
      else if (this.#ended) this.#fail(put, new QueueClosedError(this.#queue))
      else if (once && full) this.#fail(put, new TimeoutError(0, this.#queue))
    }
    this.#tidy()
    return full
  }

  #tidy(): void {
    this.#line = this.#line.filter(({ call }) => !call.settled)
  }

  /** Rejects each put with an error of its own, as each has a count of its own. */
  #rejectAll(): void {
    for (const put of this.#line) this.#fail(put, new QueueClosedError(this.#queue))
    this.#line = []
  }

  /** Waits until there is room, or for a second; returns whether somebody said that there is. */
  async #room(): Promise<boolean> {
    this.#waitsForRoom = true
    try {
      return (await this.#block(LOOK_AGAIN, 'BLPOP', this.#server.keys.room, String(LOOK_AGAIN / 1000))) !== null
    } finally {
      this.#waitsForRoom = false
    }
  }

  /** Ends this object's part: what the server has is settled by its reply, the rest rejects. */
  async end(): Promise<void> {
    this.#ended = true
    const sent = this.#sent.map(({ put }) => put)
    for (const put of this.#line) if (!sent.includes(put)) this.#fail(put, new QueueClosedError(this.#queue))
    this.#tidy()
    await Promise.allSettled(sent.map(({ call }) => call.promise))
  }

  /** Rejects what is left when there is no time to wait for the server. */
  abandon(): void {
    this.#rejectAll()
  }
}
