/**
 * The gets of one queue object. Calls stand in a line; one command at a time takes items for them,
 * some in advance. Items that were taken and not acknowledged are in hand: should this process die,
 * the server delivers them to others when the acknowledge wait is over.
 */
import { clearInterval, setInterval } from 'node:timers'
import { type Named, QueueClosedError, TimeoutError } from '../errors.js'
import type { Patience } from '../wait/options.js'
import { PendingCall } from './call.js'
import type { Reply } from './client.js'
import { LONGEST_ACK_WAIT } from './opening.js'
import type { Server } from './server.js'

/** The most items that are taken in advance. */
const AHEAD = 128
/**
 * Milliseconds after which a consumer that nothing wakes looks for items of consumers that died.
 */
const LOOK_AGAIN = 1000
/** The same in a closed queue, which ends when others have acknowledged what they have in hand. */
const LOOK_FOR_END = 100
/**
 * A consumer that asks for more within so many milliseconds is quick, and takes more in advance.
 */
const QUICK = 20
/**
 * Milliseconds between looks at items that were taken in advance. They are given back at the second
 * look in a row before which nobody asked for any, so after up to twice that time.
 */
const LINGER = 2000
/** The most ids in one command. From so many on, acknowledgements that come go in the next. */
const MOST_IDS = 1000
/** The idle time in ms of items that are given back. */
const AT_ONCE = String(LONGEST_ACK_WAIT)

export interface Delivery {
  readonly id: string
  readonly item: Buffer
}

interface Get {
  readonly call: PendingCall<Delivery[]>
  readonly most: number
  /** Whether it comes for more, so that items may be taken in advance. */
  readonly ahead: boolean
  /** Whether a command that was sent after this call was made has looked for it. */
  asked: boolean
  /** Whether it fails if the next look finds nothing: its time is over. */
  last: boolean
}

export interface ConsumerOptions {
  readonly group: string
  readonly consumer: string
  readonly ackWait: number
}

export class Consumer {
  readonly #server: Server
  readonly #queue: Named
  readonly #options: ConsumerOptions
  readonly #line: Get[] = []
  /** Items that were taken and not yet handed out. */
  readonly #ahead: Delivery[] = []
  #working: Promise<void> | undefined
  /** Ends the wait for a new item. */
  #stopBlocking: () => void = () => undefined
  readonly #block: ReturnType<Server['blocking']>
  #lastClaim = -Infinity
  #lastTake = -Infinity
  /** The number of items that a quick consumer takes at once. A slow one leaves them to others. */
  #reach = 1
  #renewal: ReturnType<typeof setInterval> | undefined
  /** Whether anybody has asked for items since the last renewal. */
  #wanted = false
  #acknowledging: { readonly ids: string[]; readonly done: Promise<void> } | undefined
  #lastAcknowledgement: Promise<unknown> = Promise.resolve()
  closed = false

  constructor(server: Server, queue: Named, options: ConsumerOptions) {
    this.#server = server
    this.#queue = queue
    this.#options = options
    this.#block = server.blocking()
  }

  get group(): string {
    return this.#options.group
  }

  /** Takes at least one item, and at most so many. */
  take(most: number, ahead: boolean, patience: Patience): Promise<Delivery[]> {
    const call = new PendingCall<Delivery[]>(patience, this.#queue)
    const get: Get = { call, most, ahead, asked: false, last: patience.timeout === 0 }
    const drop = (): void => {
      this.#line.splice(this.#line.indexOf(get), 1)
      call.reject(call.failure?.error)
    }
    call.onFailure = () => {
      if (!call.failure?.isTimeout) return drop()
      // A call whose time is over looks once more first.
      get.last = true
      call.afterGrace(drop)
      this.#stopBlocking()
    }
    this.#wanted = true
    this.#line.push(get)
    this.#serve()
    if (get.last) this.#stopBlocking()
    if (this.#line.length > 0) this.#working ??= this.#work()
    return call.promise
  }

  /** Removes items that have been dealt with; those that come meanwhile go in the next command. */
  acknowledge(ids: readonly string[]): Promise<void> {
    if (this.#acknowledging && this.#acknowledging.ids.length < MOST_IDS) {
      for (const id of ids) this.#acknowledging.ids.push(id)
      return this.#acknowledging.done
    }
    const waiting = [...ids]
    const before = this.#lastAcknowledgement
    const done = before.then(() => {
      this.#acknowledging = undefined
      const { items, state, room } = this.#server.keys
      return this.#runOn(waiting, 'acknowledge', [items, state, room], this.#options.group)
    })
    this.#acknowledging = { ids: waiting, done }
    this.#lastAcknowledgement = done.catch(() => undefined)
    return done
  }

  /** Gives items back, to be delivered again at once. */
  async giveBack(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const given = this.#idle(AT_ONCE, ids)
    // The next take finds them.
    this.#lookAtOnce()
    await given
    // If that take was executed before this command, the one after it finds them.
    this.#lookAtOnce()
  }

  /** Gives back what was taken in advance, unless a call waits for it. */
  relax(): void {
    if (this.#line.length > 0) return
    void this.giveBack(this.#takeBack()).catch(() => undefined)
  }

  #takeBack(): string[] {
    clearInterval(this.#renewal)
    return this.#ahead.splice(0).map(({ id }) => id)
  }

  /** Makes the next take look for items that may be claimed. */
  #lookAtOnce(): void {
    this.#lastClaim = -Infinity
    this.#stopBlocking()
  }

  /**
   * Sets an item aside that can't be decoded, or gives it back if it was not delivered often
   * enough.
   */
  async poison(id: string, deliveries: number): Promise<void> {
    const { items, state, poison, room } = this.#server.keys
    const { group, consumer } = this.#options
    await this.#server.run('poison', [items, state, poison, room], group, consumer, id, String(deliveries), AT_ONCE)
    this.#lookAtOnce()
  }

  /** Rejects the calls that wait. */
  stop(): void {
    this.#rejectAll(new QueueClosedError(this.#queue))
    this.#stopBlocking()
  }

  /**
   * Ends this object's part: what was acknowledged is removed, what was taken in advance is given
   * back. Items that were handed out and are not acknowledged stay in hand.
   */
  async end(): Promise<void> {
    this.stop()
    await this.#lastAcknowledgement
    // A command that takes items may be under way.
    await this.#working
    await this.#idle(AT_ONCE, this.#takeBack())
    const { items, operation } = this.#server.keys
    const { group, consumer } = this.#options
    await this.#server.run('leave', [items, operation], group, consumer)
  }

  #rejectAll(error: unknown): void {
    for (const { call } of this.#line.splice(0)) call.reject(error)
  }

  #idle(milliseconds: string, ids: readonly string[]): Promise<void> {
    const { group, consumer } = this.#options
    return this.#runOn(ids, 'idle', [this.#server.keys.items], group, consumer, milliseconds)
  }

  /**
   * Runs a script on ids, in as many commands as that takes. All are sent at once, so that what is
   * said later of the same ids comes later.
   */
  async #runOn(ids: readonly string[], ...[name, keys, ...args]: Parameters<Server['run']>): Promise<void> {
    const runs: Promise<Reply>[] = []
    for (let k = 0; k < ids.length; k += MOST_IDS) runs.push(this.#server.run(name, keys, ...args, ...ids.slice(k, k + MOST_IDS)))
    await Promise.all(runs)
  }

  #serve(): void {
    while (this.#line.length > 0 && this.#ahead.length > 0) {
      const { call, most } = this.#line.shift() as Get
      call.resolve(this.#ahead.splice(0, most))
    }
    if (this.#ahead.length === 0) clearInterval(this.#renewal)
  }

  async #work(): Promise<void> {
    try {
      while (this.#line.length > 0) {
        // The last item may have been acknowledged just now, by an iterator that asks for the next.
        if (this.closed) await this.#lastAcknowledgement
        const { taken, lastId, left } = await this.#takeAhead()
        if (this.closed && left === 0 && taken === 0) this.#rejectAll(new QueueClosedError(this.#queue))
        this.#endLast()
        const isDue = this.#lastClaim === -Infinity || this.#line.some(({ last }) => last)
        if (this.#line.length > 0 && taken === 0 && !isDue) await this.#blockAfter(lastId)
      }
    } catch (error) {
      this.#rejectAll(error)
    } finally {
      this.#working = undefined
    }
  }

  /** Rejects the calls whose time is over and for which there was no item. */
  #endLast(): void {
    for (const get of this.#line.filter(({ last, asked }) => last && asked)) {
      this.#line.splice(this.#line.indexOf(get), 1)
      get.call.reject(get.call.failure?.error ?? new TimeoutError(0, this.#queue))
    }
  }

  async #takeAhead(): Promise<{ taken: number; lastId: string; left: number }> {
    const { items, state, operation } = this.#server.keys
    const { group, consumer, ackWait } = this.#options
    const wanted = this.#line.reduce((sum, { most }) => sum + most, 0)
    for (const get of this.#line) get.asked = true
    const now = performance.now()
    this.#reach = now - this.#lastTake < QUICK ? Math.min(2 * this.#reach, AHEAD) : 1
    const mayTakeAhead = this.#line.every(({ ahead }) => ahead)
    const most = Math.min(mayTakeAhead ? Math.max(wanted, this.#reach) : wanted, this.#queue.capacity)
    const claim = now - this.#lastClaim >= Math.min(ackWait / 2, LOOK_AGAIN)
    if (claim) this.#lastClaim = now
    const [number, life] = this.#server.operation()
    const keys = [items, state, operation]
    const reply = await this.#server.run('take', keys, number, life, group, consumer, String(most), String(ackWait), claim ? '1' : '0')
    const [taken, lastId, closed, left, more] = reply as [[Buffer, Buffer][], Buffer, number, number, number]
    // A consumer that died may have had many in hand, so the next take looks at once.
    if (more === 1) this.#lastClaim = -Infinity
    this.closed ||= closed === 1
    for (const [id, item] of taken) this.#ahead.push({ id: id.toString(), item })
    this.#lastTake = performance.now()
    this.#serve()
    if (this.#ahead.length > 0) this.#renew()
    return { taken: taken.length, lastId: lastId.toString(), left }
  }

  /**
   * Keeps what was taken in advance from being delivered to others, as long as this consumer lives
   * and asks for it.
   */
  #renew(): void {
    clearInterval(this.#renewal)
    const renew = (): void => {
      if (!this.#wanted) return this.relax()
      this.#wanted = false
      const ids = this.#ahead.map(({ id }) => id)
      void this.#idle('0', ids).catch(() => undefined)
    }
    this.#renewal = setInterval(renew, Math.min(this.#options.ackWait / 3, LINGER)).unref()
  }

  /** Waits until an entry comes after that one, or for a moment. */
  async #blockAfter(lastId: string): Promise<void> {
    const moment = Math.min(this.closed ? LOOK_FOR_END : LOOK_AGAIN, this.#options.ackWait)
    // A command that was sent for calls which have given up does as well: it waits for an entry
    // after this one or after an earlier one.
    const after = this.#block(moment, 'XREAD', 'COUNT', '1', 'BLOCK', String(moment), 'STREAMS', this.#server.keys.items, lastId)
    const stopped = new Promise<void>((resolve) => {
      this.#stopBlocking = resolve
    })
    // The command may fail after the wait was stopped.
    after.catch(() => undefined)
    await Promise.race([after, stopped])
  }
}
