/**
 * Queues of every type that can hold the ledger's numbers pass items between workers and the loop,
 * taken in every way. Nothing is lost, and nothing comes twice.
 */
import { Readable } from 'node:stream'
import { QueueClosedError, select } from '../../lib/index.js'
import { until, within } from '../support.js'
import { drawn, got, missing } from './ledger.js'
import { batchInto, itemInto, KINDS, MOST_IN_BATCH, newSide, openSide, type Side, taker } from './sides.js'
import { type Part, pause, PATIENCE, type Soak } from './soak.js'
import type { Workers } from './workers.js'

const CAPACITY = 40
const OWN_PRODUCER = 2

/**
 * How this thread takes from the queues of a kind until they are closed and drained. It selects
 * from the kinds that are not here.
 */
const WAYS: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  async objects(side) {
    const take = taker(side)
    for (;;) take(await side.queue.get())
  },
  texts: (side) => side.queue.forEach(taker(side)),
  async 'bytes that span slots'(side) {
    const take = taker(side)
    for await (const item of side.queue) take(item)
  },
  async records(side) {
    const take = taker(side)
    for await (const batch of side.queue.batches(16)) for (const item of batch) take(item)
  },
  async arrays(side) {
    const [take, space] = [taker(side), itemInto(side)]
    for (;;) take(await side.queue.get(space))
  },
  async numbers(side) {
    const take = taker(side)
    for (;;) for (const item of await side.queue.getMany(MOST_IN_BATCH)) take(item)
  },
  async 'whole numbers'(side) {
    const [take, space] = [taker(side), batchInto(side)]
    for (;;) for (const item of await side.queue.getMany(MOST_IN_BATCH, space)) take(item)
  },
  async 'signed numbers'(side) {
    const take = taker(side)
    for (;;) {
      // Looks again after a while though there is more, as other work shares this loop.
      for (let k = 0; k < CAPACITY; k++) {
        const item = side.queue.tryGet()
        if (item === undefined) break
        take(item)
      }
      await pause(1)
    }
  },
  async bigints(side) {
    const take = taker(side)
    for await (const item of Readable.from(side.queue)) take(item)
  },
}

async function selecting(sides: readonly Side[]): Promise<void> {
  const takers = sides.map(taker)
  for (;;) {
    const { index, item } = await select(sides.map(({ queue }) => queue))
    takers[index]?.(item)
  }
}

async function produce(soak: Soak, side: Side): Promise<void> {
  while (soak.running) {
    if (side.queue.full()) await side.queue.put(side.make(OWN_PRODUCER), { signal: AbortSignal.timeout(PATIENCE) })
    else await side.queue.putMany([side.make(OWN_PRODUCER), side.make(OWN_PRODUCER)])
    if (soak.chance() < 0.1) await pause(1)
  }
}

/** Takes the error of a closed queue for the end of the work. */
const untilClosed = (work: Promise<void> | undefined): Promise<void> | undefined =>
  work?.catch((error: unknown) => {
    if (!(error instanceof QueueClosedError)) throw error
  })

export function queues(workers: Workers): Part {
  return {
    name: 'queues',
    async run(soak) {
      const shared = KINDS.map((kind) => newSide(kind, CAPACITY, false))
      const sides = shared.map(openSide)
      const ends = [
        workers.steady({ role: 'putters', sides: shared, producer: 0 }),
        workers.steady({ role: 'asyncPutters', sides: shared, producer: 1 }),
        workers.steady({ role: 'getters', sides: shared }),
      ]
      const consumers = [...sides.map((side) => WAYS[side.kind.name]?.(side)), selecting(sides.filter(({ kind }) => !WAYS[kind.name]))].map(
        untilClosed,
      )
      const watched = watch(soak, sides)
      await Promise.race([Promise.all(consumers), Promise.all([...sides.map((side) => produce(soak, side)), ...ends, watched])])
      for (const { kind, queue, ledger } of sides) {
        await until(`all items of ${kind.name}, ${drawn(ledger)}`, () => got(ledger) === drawn(ledger), PATIENCE)
        const { depth, puts, gets, waitingPuts } = queue.stats()
        const lost = missing(ledger)
        soak.check(lost === 0 && depth === 0 && puts === gets && waitingPuts === 0, 'nothing lost', { kind, lost, stats: queue.stats() })
      }
      for (const { queue } of shared) queue.close()
      await within('the end of the consumers', Promise.all(consumers), PATIENCE)
    },
  }
}

/** Checks that each queue keeps moving. */
async function watch(soak: Soak, sides: readonly Side[]): Promise<void> {
  const last = sides.map(() => ({ items: 0, since: performance.now() }))
  while (soak.running) {
    await pause(500)
    for (const [k, { kind, ledger, queue }] of sides.entries()) {
      const entry = last[k] as (typeof last)[number]
      const items = got(ledger)
      soak.count(`items of ${kind.name}`, items - entry.items)
      if (items !== entry.items) last[k] = { items, since: performance.now() }
      else soak.check(performance.now() - entry.since < PATIENCE, 'no wake is lost', { kind: kind.name, stats: queue.stats() })
    }
  }
}
