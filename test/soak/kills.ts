/**
 * Workers are terminated at random, in the middle of everything. Their queues may lose only what
 * the victims had in hand.
 */
import { Toll } from '../fixtures/kills-toll.js'
import { until, within } from '../support.js'
import { drawn, got, missing } from './ledger.js'
import { KINDS, newSide, openSide, taker } from './sides.js'
import { type Part, pause, PATIENCE, type Soak } from './soak.js'
import { CONSUMERS, HELD, PUTTERS, type VictimsRole } from './roles.js'
import type { Workers } from './workers.js'

const CAPACITY = 40
/** The number of victims at a time. Each has a producer's number of its own. */
const AT_ONCE = 3
const OWN_PRODUCER = 3

export function kills(workers: Workers): Part {
  return {
    name: 'kills',
    async run(soak) {
      const shared = KINDS.map((kind) => newSide(kind, CAPACITY, true))
      const sides = shared.map(openSide)
      // The loop goes on taking, whatever dies.
      const consumers = sides.map((side) => side.queue.forEach(taker(side)))
      const toll = new Toll(sides.length)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, producer) => one(soak, workers, shared, producer, toll)))

      let lostInAll = 0
      for (const [k, { kind, queue, ledger, make }] of sides.entries()) {
        await until(`the queue of ${kind.name} to be empty`, () => queue.qsize() === 0, PATIENCE)
        const alive = got(ledger)
        await queue.put(make(OWN_PRODUCER), { signal: AbortSignal.timeout(PATIENCE) })
        await until(`one more item of ${kind.name}`, () => got(ledger) > alive, PATIENCE)
        const { depth, puts, gets, waitingPuts } = queue.stats()
        const lost = missing(ledger)
        lostInAll += lost
        const context = { kind: kind.name, lost, allowed: toll.of(k), drawn: drawn(ledger), stats: queue.stats() }
        soak.check(lost <= toll.of(k) && depth === 0 && puts === gets && waitingPuts === 0, 'killing loses only what is in hand', context)
        soak.count('items among killed workers', got(ledger))
      }
      soak.check(lostInAll <= toll.all, 'killing loses only what is in hand, in all', { lost: lostInAll, allowed: toll.all })
      soak.count('items lost with killed workers', lostInAll)
      soak.count('items lost with killed workers: the most that they could hold', toll.all)
      for (const { queue } of shared) queue.close()
      await within('the end of the consumers', Promise.all(consumers), PATIENCE)
    },
  }
}

/** Kills one victim after another, and adds to the toll what each may have held. */
async function one(soak: Soak, workers: Workers, shared: ReturnType<typeof newSide>[], producer: number, toll: Toll): Promise<void> {
  const sides = shared.map(({ kind, handle, ledger }) => ({ kind, handle, ledger }))
  while (soak.running) {
    const roles: readonly VictimsRole[] = soak.chance() < 0.25 ? ['share'] : soak.chance() < 0.5 ? CONSUMERS : PUTTERS
    const role = roles[soak.below(roles.length)] as VictimsRole
    const pick = soak.below(sides.length)
    const { begun, kill } = workers.victim({ role, sides, pick, producer })
    // Some are killed while they start.
    if (soak.chance() < 0.1) await pause(soak.below(50))
    else await begun.then(() => pause(soak.below(100)))
    await kill()
    toll.add(HELD[role], pick)
  }
}
