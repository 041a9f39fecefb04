/**
 * Workers are terminated at random instants, in the middle of everything that a queue does. Nothing
 * is stuck, nothing is lost, and each queue is as good as new afterwards.
 */
import { strict as assert } from 'node:assert'
import type { Worker } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import { CONSUMERS, KINDS, MOST_IN_HAND, newLedger, PRODUCERS, type Role, type Shared } from '../fixtures/kills-ledger.js'
import { random, startWorker, until, within } from '../support.js'

const KILLS = Number(process.env.KILLS ?? 60)
const SEED = Number(process.env.KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 6
const KILLS_UNTIL_QUIET = 14
const CAPACITY = 40
const PATIENCE = 30_000

type Queue = ThreadSafeQueue<unknown, unknown[]>

describe(`${KILLS} workers that are terminated at random (KILLS_SEED=${SEED})`, () => {
  const workers = new Set<Worker>()
  afterEach(async () => {
    await Promise.all([...workers].map((worker) => worker.terminate()))
  })

  it('leave nothing stuck, lose nothing, and leave each queue its capacity', async function () {
    this.timeout(60_000 + KILLS * 1000)
    const chance = random(SEED)
    const below = (limit: number) => Math.floor(chance() * limit)
    const queues: Queue[] = KINDS.map(({ type }) => new ThreadSafeQueue(CAPACITY, { type: type as 'any' }) as Queue)
    const shared: Shared[] = queues.map(({ handle }, k) => ({
      handle: handle as QueueHandle,
      kind: (KINDS[k] as (typeof KINDS)[number]).name,
      ledger: newLedger(),
    }))
    const start = (role: Role) => {
      const worker = startWorker('kills-worker', { role, queues: shared, pick: below(shared.length) })
      workers.add(worker)
      return worker
    }
    const putOneInEach = () => {
      for (const [k, queue] of queues.entries()) {
        const { make } = KINDS[k] as (typeof KINDS)[number]
        queue.tryPut(make(Atomics.add((shared[k] as Shared).ledger.next, 0, 1)))
      }
    }
    const end = async (worker: Worker) => {
      await within('the end of a worker', worker.terminate(), PATIENCE)
      workers.delete(worker)
    }

    let steady = start('steady')
    const victims: Worker[] = []
    let consumers = 0
    let quiet = KILLS_UNTIL_QUIET
    for (let kill = 0; kill < KILLS; kill++) {
      while (victims.length < AT_ONCE) {
        const consumes = chance() < 0.5
        if (consumes) consumers++
        const roles = consumes ? CONSUMERS : PRODUCERS
        victims.push(start(roles[below(roles.length)] as Role))
      }
      await new Promise((resolve) => setTimeout(resolve, below(25)))
      await end(victims.splice(below(victims.length), 1)[0] as Worker)
      if (--quiet > 0) continue
      // Each loop that is rung for one of these may be dying, and must pass it on.
      putOneInEach()
      // Another steady worker, as the one with the lowest doorbell is rung first.
      const before = steady
      steady = start('steady')
      kill += victims.length
      await Promise.all([before, ...victims.splice(0)].map(end))
      // A lost wake shows now, as nothing else makes up for it.
      await until('the queues to be empty', () => queues.every((queue) => queue.empty()), PATIENCE)
      putOneInEach()
      await until('lone items to arrive', () => queues.every((queue) => queue.empty()), PATIENCE)
      quiet = KILLS_UNTIL_QUIET
    }
    await Promise.all([...victims, steady].map(end))
    // The steady ones were consumers too.
    const inHand = (consumers + KILLS) * MOST_IN_HAND

    for (const [k, queue] of queues.entries()) {
      const { name, type, make, read } = KINDS[k] as (typeof KINDS)[number]
      const { next, accepted, got } = (shared[k] as Shared).ledger
      await until(`the queue of ${name} to be empty`, () => {
        for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet())
          got[read(item as never)] = (got[read(item as never)] ?? 0) + 1
        return queue.qsize() === 0
      })
      const { puts, gets, depth, dropped, discarded, waitingGets, waitingPuts } = queue.stats()
      assert.deepEqual(
        { name, lost: puts - gets, depth, dropped, discarded, waitingGets, waitingPuts },
        {
          name,
          lost: 0,
          depth: 0,
          dropped: 0,
          discarded: 0,
          waitingGets: 0,
          waitingPuts: 0,
        },
      )
      let missing = 0
      for (let number = 0; number < (next[0] as number); number++) {
        assert.ok((got[number] as number) <= 1, `${name}: item ${number} was got ${got[number]} times`)
        if (accepted[number] === 1 && got[number] === 0) missing++
      }
      assert.ok(missing <= inHand, `${name}: ${missing} items were accepted and never got, and at most ${inHand} were in hand`)
      assert.ok((next[0] as number) > 0, `${name}: no item moved`)
      // Items of one slot, for each type.
      const short = type === 'any' ? 1 : type === 'string' ? 'x' : type === 'bytes' ? new Uint8Array(8) : make(1)
      let count = 0
      while (queue.tryPut(short)) count++
      assert.equal(count, queue.capacity, `${name}: what it holds`)
      const waiting = queue.put(short)
      assert.notEqual(queue.tryGet(), undefined)
      await within(`a put into the queue of ${name} that waits`, waiting)
    }
  })
})
