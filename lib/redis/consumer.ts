/**
 * The gets of one queue object. Calls stand in a line; one command at a time takes items for them,
 * some in advance. Items that were taken and not acknowledged are in hand: should this process die,
 * the server delivers them to others when the acknowledge wait is over.
 */
import { QueueClosedError } from '../errors.js'
import type { Patience } from '../wait/options.js'
import { PendingCall } from './call.js'
import type { Connection, Reply } from './client.js'
import type { Server } from './server.js'

/** The most items that are taken in advance. */
const AHEAD = 128
/** Milliseconds after which a consumer looks by itself: at closed queues, at items of consumers that died. */
const LOOK_AGAIN = 1000

export interface Delivery {
  readonly id: string
  readonly item: Buffer
}

interface Get {
  readonly call: PendingCall<Delivery[]>
  readonly most: number
}

interface NamedQueue {
  readonly name: string
  readonly capacity: number
}

export interface ConsumerOptions {
  readonly group: string
  readonly consumer: string
  readonly ackWait: number
}

export class Consumer {
  readonly #server: Server
  readonly #queue: NamedQueue
  readonly #options: ConsumerOptions
  readonly #line: Get[] = []
  /** Taken, not yet handed out. */
  readonly #ahead: Delivery[] = []
  /** The ids of all that is in hand: those ahead, and those that wait for their acknowledgement. */
  readonly #inHand = new Set<string>()
  #working = false
  #blocking: Promise<Connection> | undefined
  #lastClaim = -Infinity
  #renewal: NodeJS.Timeout | undefined
  #acknowledging: { readonly ids: string[]; readonly done: Promise<void> } | undefined
  #lastAcknowledgement: Promise<unknown> = Promise.resolve()
  closed = false

  constructor(server: Server, queue: NamedQueue, options: ConsumerOptions) {
    this.#server = server
    this.#queue = queue
    this.#options = options
  }

  get group(): string {
    return this.#options.group
  }

  /** Takes at least one item, and at most so many. */
  take(most: number, patience: Patience): Promise<Delivery[]> {
    const call = new PendingCall<Delivery[]>(patience, this.#queue)
    const get: Get = { call, most }
    call.onFailure = () => {
      this.#line.splice(this.#line.indexOf(get), 1)
      call.reject(call.failure?.error)
    }
    this.#line.push(get)
    this.#serve()
    void this.#work()
    return call.promise
  }

  /** Removes items that have been dealt with; those that come meanwhile go in the next command. */
  acknowledge(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#inHand.delete(id)
    if (this.#acknowledging) {
      this.#acknowledging.ids.push(...ids)
      return this.#acknowledging.done
    }
    const waiting = [...ids]
    const before = this.#lastAcknowledgement
    const done = before.then(() => {
      this.#acknowledging = undefined
      const { items, state, room } = this.#server.keys
      return this.#server.run('acknowledge', [items, state, room], this.#options.group, ...waiting)
    })
    this.#acknowledging = { ids: waiting, done: done.then(() => undefined) }
    this.#lastAcknowledgement = done.catch(() => undefined)
    return this.#acknowledging.done
  }

  /** Gives items back, to be delivered again at once. */
  async giveBack(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#inHand.delete(id)
    if (ids.length > 0) await this.#idle(this.#options.ackWait, ids)
    this.#lastClaim = -Infinity
  }

  /** Sets an item aside that can't be decoded, or gives it back if it was not delivered often enough. */
  async poison(id: string, deliveries: number): Promise<void> {
    const { items, state, poison, room } = this.#server.keys
    const { group, consumer, ackWait } = this.#options
    this.#inHand.delete(id)
    await this.#server.run('poison', [items, state, poison, room], group, consumer, id, String(deliveries), String(ackWait))
    this.#lastClaim = -Infinity
  }

  /** Ends this object's part: what is acknowledged is, what is in hand is given back. */
  async end(): Promise<void> {
    clearInterval(this.#renewal)
    for (const { call } of this.#line.splice(0)) call.reject(this.#server.over.reason ?? new QueueClosedError(this.#queue))
    await this.#lastAcknowledgement
    await this.giveBack(this.#ahead.splice(0).map(({ id }) => id))
    const { items } = this.#server.keys
    if (this.#inHand.size === 0) await this.#server.command('XGROUP', 'DELCONSUMER', items, this.#options.group, this.#options.consumer)
  }

  #idle(milliseconds: number, ids: readonly string[]): Promise<Reply> {
    const { group, consumer } = this.#options
    return this.#server.run('idle', [this.#server.keys.items], group, consumer, String(milliseconds), ...ids)
  }

  #serve(): void {
    while (this.#line.length > 0 && this.#ahead.length > 0) {
      const { call, most } = this.#line.shift() as Get
      call.resolve(this.#ahead.splice(0, most))
    }
    if (this.#ahead.length === 0) clearInterval(this.#renewal)
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      while (this.#line.length > 0) {
        const { taken, lastId, left } = await this.#takeAhead()
        if (this.#line.length === 0 || taken > 0) continue
        if (this.closed && left === 0) {
          for (const { call } of this.#line.splice(0)) call.reject(new QueueClosedError(this.#queue))
        } else {
          await this.#blockAfter(lastId)
        }
      }
    } catch (error) {
      for (const { call } of this.#line.splice(0)) call.reject(error)
    } finally {
      this.#working = false
    }
  }

  async #takeAhead(): Promise<{ taken: number; lastId: string; left: number }> {
    const { items, state, operation } = this.#server.keys
    const { group, consumer, ackWait } = this.#options
    const wanted = this.#line.reduce((sum, { most }) => sum + most, 0)
    const most = Math.min(Math.max(wanted, AHEAD), this.#queue.capacity)
    const now = performance.now()
    const claim = now - this.#lastClaim >= Math.min(ackWait / 2, LOOK_AGAIN)
    if (claim) this.#lastClaim = now
    const [number, life] = this.#server.operation()
    const keys = [items, state, operation]
    const reply = await this.#server.run('take', keys, number, life, group, consumer, String(most), String(ackWait), claim ? '1' : '0')
    const [taken, lastId, closed, left] = reply as [[Buffer, Buffer][], Buffer, number, number]
    this.closed ||= closed === 1
    for (const [key, item] of taken) {
      const id = key.toString()
      // Delivered to this consumer again, since it has had it for so long: it still has it.
      if (this.#inHand.has(id)) continue
      this.#inHand.add(id)
      this.#ahead.push({ id, item })
    }
    this.#serve()
    if (this.#ahead.length > 0) this.#renew()
    return { taken: taken.length, lastId: lastId.toString(), left }
  }

  /** Keeps what was taken in advance from being delivered to others while this consumer lives. */
  #renew(): void {
    clearInterval(this.#renewal)
    const renew = (): void =>
      void this.#idle(
        0,
        this.#ahead.map(({ id }) => id),
      ).catch(() => undefined)
    this.#renewal = setInterval(renew, this.#options.ackWait / 3).unref()
  }

  /** Waits until something comes after that, or for a moment. */
  async #blockAfter(lastId: string): Promise<void> {
    const { ackWait } = this.#options
    const milliseconds = String(Math.ceil(Math.min(LOOK_AGAIN, ackWait)))
    await this.#server.again(async () => {
      const connection = await (this.#blocking ??= this.#server.another())
      return connection.command('XREAD', 'COUNT', '1', 'BLOCK', milliseconds, 'STREAMS', this.#server.keys.items, lastId)
    })
  }
}
