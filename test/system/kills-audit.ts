/** The objects of the test of kills as main has them, and the checks that each is fully usable. */
import { strict as assert } from 'node:assert'
import {
  attachSignal,
  BufferPool,
  Lock,
  Message,
  type SignalInfo,
  SharedRecord,
  signalInfo,
  ThreadSafeEvent,
  ThreadSafeQueue,
} from '../../lib/index.js'
import {
  COUNTS,
  KINDS,
  type Ledger,
  MOST_ITEMS,
  MOST_WORKERS,
  newLedger,
  type Note,
  note,
  type Objects,
  PAIR,
  section,
} from '../fixtures/kills-objects.js'
import type { Toll } from '../fixtures/kills-toll.js'
import { buffersOf, until, within } from '../support.js'

const CAPACITY = 40
const BUFFERS = 6
const PATIENCE = 30_000

type Queue = ThreadSafeQueue<unknown, unknown[]>

function newPool(): BufferPool<Uint32Array> {
  return new BufferPool(BUFFERS, 'uint32[64]')
}

/** Returns a short item for each queue, which takes one slot. */
function short({ type, make }: (typeof KINDS)[number]): unknown {
  return type === 'any' ? 1 : type === 'string' ? 'x' : type === 'bytes' ? new Uint8Array(8) : make(1)
}

export class Audit {
  readonly queues: readonly Queue[] = KINDS.map(({ type }) => new ThreadSafeQueue(CAPACITY, { type: type as 'any' }) as Queue)
  readonly ledgers: readonly Ledger[] = KINDS.map(newLedger)
  readonly event = new ThreadSafeEvent()
  readonly record = new SharedRecord(PAIR)
  readonly message = new Message<Note>()
  readonly lock = new Lock()
  readonly tokens = new ThreadSafeQueue<number>(3, { type: 'uint32' })
  readonly lone = new ThreadSafeQueue<number>(2, { type: 'float64' })
  readonly signals = new ThreadSafeQueue<SignalInfo>(50, { type: signalInfo, overflow: 'drop-oldest' })
  readonly signalled = new ThreadSafeEvent()
  readonly native = new ThreadSafeQueue<number>(16, { type: 'float64' })
  readonly counts = new Int32Array(new SharedArrayBuffer(4 * Object.keys(COUNTS).length))
  readonly hands = new Float64Array(new SharedArrayBuffer(8 * MOST_WORKERS))
  readonly begun = new Int32Array(new SharedArrayBuffer(4 * MOST_WORKERS))
  /** Replaced at each audit, as a token may be lost with the worker that had it. */
  pool = newPool()
  /** The items that were lost, and the most that could be, over all audits. */
  readonly losses = { lost: 0, allowed: 0 }
  /** How often the process's own handler was called. */
  handled = 0
  readonly #onSignal = (): void => void this.handled++

  constructor() {
    if (process.platform !== 'win32') process.on('SIGUSR2', this.#onSignal)
  }

  end(): void {
    process.off('SIGUSR2', this.#onSignal)
  }

  get objects(): Objects {
    return {
      queues: this.queues.map(({ handle }, k) => ({
        handle,
        kind: (KINDS[k] as (typeof KINDS)[number]).name,
        ledger: this.ledgers[k] as Ledger,
      })),
      event: this.event.handle,
      record: this.record.handle,
      message: this.message.handle,
      lock: this.lock.handle,
      pool: this.pool.handle,
      tokens: this.tokens.handle,
      lone: this.lone.handle,
      signals: this.signals.handle,
      signalled: this.signalled.handle,
      native: this.native.handle,
      counts: this.counts,
      hands: this.hands,
      begun: this.begun,
    }
  }

  count(name: keyof typeof COUNTS): number {
    return Atomics.load(this.counts, COUNTS[name])
  }

  putOneInEach(): void {
    for (const [k, queue] of this.queues.entries()) {
      const number = Atomics.add((this.ledgers[k] as Ledger).next, 0, 1)
      if (number < MOST_ITEMS) queue.tryPut((KINDS[k] as (typeof KINDS)[number]).make(number))
    }
  }

  /**
   * Checks that every kind of waiting call is woken. The workers that were killed are gone, and
   * others wait. Nothing else would make up for a wake that was lost.
   */
  async wakesThoseWhoWait(): Promise<void> {
    const all = (): boolean => this.queues.every((queue) => queue.empty())
    await until('the queues to be empty', all, PATIENCE)
    this.putOneInEach()
    await until('lone items to arrive', all, PATIENCE)
    const grows = async (name: keyof typeof COUNTS, change: () => void, atLeast = 1): Promise<void> => {
      const before = this.count(name)
      change()
      await until(`${name} to grow`, () => this.count(name) >= before + atLeast, PATIENCE)
    }
    this.event.clear()
    await grows('eventsSeen', () => this.event.set())
    this.event.clear()
    await grows('selectedSeen', () => this.event.set())
    this.event.clear()
    await grows('selectedSeen', () => this.lone.putSync(1, { timeout: PATIENCE }))
    await grows('recordsSeen', () => this.#write())
    this.message.clear()
    await grows('messagesSeen', () => this.message.set(note(3)))
    await grows('locksHeld', () => {}, 3)
    // A token that was lost may be that of the last buffer.
    if (this.pool.stats().free > 0) await grows('buffersLent', () => {}, 3)
  }

  #write(): void {
    Atomics.add(this.counts, COUNTS.writesBegun, 1)
    this.record.write({ a: 1, b: -1 })
    Atomics.add(this.counts, COUNTS.writesDone, 1)
  }

  /**
   * Checks each object exactly, with no other thread there. `toll` says how many items may have
   * been taken and not noted, and `tokensInHand` is the number of tokens that may be lost.
   */
  async isExact(toll: Toll, tokensInHand: number): Promise<void> {
    let lost = 0
    for (let k = 0; k < this.queues.length; k++) lost += await this.#queueIsExact(k, toll.of(k))
    assert.ok(lost <= toll.all, `${lost} items of all queues were accepted and never got, and at most ${toll.all} were in hand`)
    this.losses.lost += lost
    this.losses.allowed += toll.all
    assert.equal(this.count('faults'), 0, 'what workers have found torn, mixed up or wrong')
    await this.#eventsAreExact()
    await this.#recordIsExact()
    await this.#messageIsExact()
    await this.#lockIsExact()
    await this.#poolIsExact(tokensInHand)
    await this.#nativeIsExact()
    if (process.platform !== 'win32') await this.#signalsAreExact()
  }

  /** Returns the number of items that were lost. */
  async #queueIsExact(k: number, inHand: number): Promise<number> {
    const kind = KINDS[k] as (typeof KINDS)[number]
    const queue = this.queues[k] as Queue
    const { next, accepted, got } = this.ledgers[k] as Ledger
    const { name, read } = kind
    for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet())
      got[read(item as never)] = (got[read(item as never)] ?? 0) + 1
    const { puts, gets, depth, dropped, discarded, waitingGets, waitingPuts, unfinished } = queue.stats()
    assert.deepEqual(
      { name, lost: (puts - gets) >>> 0, depth, dropped, discarded, waitingGets, waitingPuts },
      { name, lost: 0, depth: 0, dropped: 0, discarded: 0, waitingGets: 0, waitingPuts: 0 },
    )
    const items = Math.min(next[0] as number, MOST_ITEMS)
    let missing = 0
    for (let number = 0; number < items; number++) {
      if ((got[number] as number) > 1) assert.fail(`${name}: item ${number} was got ${got[number]} times`)
      if (accepted[number] === 1 && got[number] === 0) missing++
    }
    assert.ok(missing <= inHand, `${name}: ${missing} items were accepted and never got, and at most ${inHand} were in hand`)
    next[0] = 0
    accepted.fill(0, 0, items)
    got.fill(0, 0, items)

    const item = short(kind)
    let count = 0
    while (queue.tryPut(item)) count++
    assert.equal(count, queue.capacity, `${name}: what it holds`)
    const waiting = queue.put(item)
    assert.notEqual(queue.tryGet(), undefined)
    await within(`a put into the queue of ${name} that waits`, waiting)
    assert.equal(queue.getManySync(CAPACITY + 1).length, CAPACITY)
    const get = queue.get()
    queue.putSync(item)
    await within(`a get from the queue of ${name} that waits`, get)
    // Reports the items as done that workers had taken and not reported.
    queue.taskDone(unfinished + count + 2)
    await within(`a join of the queue of ${name}`, queue.join())
    return missing
  }

  async #eventsAreExact(): Promise<void> {
    for (const event of [this.event, this.signalled]) {
      event.clear()
      const waiting = [event.wait(), event.wait()]
      assert.equal(event.waitSync({ timeout: 0 }), false)
      event.set()
      await within('an event', Promise.all(waiting))
      event.clear()
    }
  }

  async #recordIsExact(): Promise<void> {
    const { record } = this
    const { a, b, count } = record.read()
    assert.ok(b === -a, `a torn record: ${a}, ${b}`)
    const isBetween = (what: string, least: number, number: number, most: number): void =>
      assert.ok(least <= number && number <= most, `${what}: ${number} is not from ${least} to ${most}`)
    isBetween('updates', this.count('updatesDone'), count, this.count('updatesBegun'))
    isBetween('writes', this.count('writesDone'), record.version, this.count('writesBegun'))
    const { count: buffers, free } = buffersOf(record)
    assert.equal(free, buffers - 1, 'free buffers of the record')
    const waiting = record.wait(record.version)
    this.#write()
    await within('a write', waiting)
    // Both counts are set to the same value, as each kill widens the range between them.
    const done = Math.max(record.read().count, 0)
    this.counts[COUNTS.updatesBegun] = this.counts[COUNTS.updatesDone] = done
    this.counts[COUNTS.writesBegun] = this.counts[COUNTS.writesDone] = record.version
  }

  async #messageIsExact(): Promise<void> {
    const { message } = this
    const { count, free } = buffersOf(message)
    // Before the first set no buffer is current.
    assert.equal(free, message.value() === undefined ? count : count - 1, 'free buffers of the message')
    message.clear()
    const waiting = message.wait()
    message.set(note(7))
    assert.deepEqual(await within('a message', waiting), note(7))
    message.clear()
  }

  async #lockIsExact(): Promise<void> {
    const { lock, counts } = this
    assert.equal(lock.locked, false, 'the lock is held by nobody')
    const held = lock.acquireSync({ timeout: 0 })
    section(held, counts, 1)
    const waiting = lock.acquire()
    held.release()
    const next = await within('the lock', waiting)
    assert.equal(next.abandoned, false)
    next.release()
    assert.equal(this.count('faults'), 0, 'the lock keeps critical sections apart, and tells of holders that died')
  }

  async #poolIsExact(tokensInHand: number): Promise<void> {
    const { pool, tokens, hands } = this
    const takeBack = (token: number): void => {
      try {
        pool.take(token).release()
      } catch (error) {
        // A worker that was killed may have done this before.
        assert.equal((error as { code?: unknown }).code, 'ERR_LEASE_ENDED')
      }
    }
    for (let token = tokens.tryGet(); token !== undefined; token = tokens.tryGet()) takeBack(token)
    for (const token of hands) if (token > 0) takeBack(token - 1)
    hands.fill(0)
    this.begun.fill(0)
    const { free, lent, passed } = pool.stats()
    assert.deepEqual({ lent, all: free + passed }, { lent: 0, all: BUFFERS })
    assert.ok(passed <= tokensInHand, `${passed} buffers are passed on, and at most ${tokensInHand} tokens were in hand`)
    const leases = Array.from({ length: free }, () => pool.tryLend())
    assert.equal(leases.filter((lease) => lease !== undefined).length, free, 'buffers that can be lent')
    assert.equal(pool.tryLend(), undefined)
    if (free > 0) {
      const waiting = pool.lend()
      leases.pop()?.release()
      leases.push(await within('a buffer', waiting))
      for (const lease of leases) lease?.release()
    }
    this.pool = newPool()
  }

  async #nativeIsExact(): Promise<void> {
    const queue = this.native
    queue.clear()
    let count = 0
    while (queue.tryPut(1)) count++
    assert.equal(count, queue.capacity, "what native threads' queue holds")
    const waiting = queue.put(2)
    queue.getSync()
    await within("a put into native threads' queue", waiting)
    queue.clear()
  }

  async #signalsAreExact(): Promise<void> {
    const { signals } = this
    signals.clear()
    const before = this.handled
    process.kill(process.pid, 'SIGUSR2')
    await until("Node's own handler", () => this.handled > before, PATIENCE)
    assert.equal(signals.qsize(), 0, 'a source or a timer of a worker that is gone')
    const source = attachSignal('SIGUSR2', signals)
    process.kill(process.pid, 'SIGUSR2')
    await until('a signal of a source of this thread', () => signals.qsize() > 0, PATIENCE)
    source.detach()
    signals.clear()
  }
}
