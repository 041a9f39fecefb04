/**
 * Workers are terminated at random, in the middle of everything. Their queues may lose only what
 * the victims had in hand.
 */
import { until, within } from '../support.js'
import { drawn, got, missing } from './ledger.js'
import { KINDS, newSide, openSide, taker } from './sides.js'
import { type Part, pause, PATIENCE, type Soak } from './soak.js'
import { CONSUMERS, MOST_IN_HAND, PUTTERS, type Role } from './roles.js'
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
      const ends = await Promise.all(Array.from({ length: AT_ONCE }, (_, producer) => one(soak, workers, shared, producer)))
      const killed = ends.reduce((sum, count) => sum + count, 0)

      for (const { kind, queue, ledger, make } of sides) {
        await until(`the queue of ${kind.name} to be empty`, () => queue.qsize() === 0, PATIENCE)
        const alive = got(ledger)
        await queue.put(make(OWN_PRODUCER), { signal: AbortSignal.timeout(PATIENCE) })
        await until(`one more item of ${kind.name}`, () => got(ledger) > alive, PATIENCE)
        const { depth, puts, gets, waitingPuts } = queue.stats()
        const lost = missing(ledger)
        const context = { kind: kind.name, lost, killed, drawn: drawn(ledger), stats: queue.stats() }
        soak.check(
          lost <= killed * MOST_IN_HAND && depth === 0 && puts === gets && waitingPuts === 0,
          'killing loses only what is in hand',
          context,
        )
        soak.count('items among killed workers', got(ledger))
        soak.count('items in the hand of killed workers', lost)
      }
      for (const { queue } of shared) queue.close()
      await within('the end of the consumers', Promise.all(consumers), PATIENCE)
    },
  }
}

/** Kills one victim after another. Resolves to the number of victims. */
async function one(soak: Soak, workers: Workers, shared: ReturnType<typeof newSide>[], producer: number): Promise<number> {
  const sides = shared.map(({ kind, handle, ledger }) => ({ kind, handle, ledger }))
  let count = 0
  while (soak.running) {
    const roles: readonly Role[] = soak.chance() < 0.25 ? ['share'] : soak.chance() < 0.5 ? CONSUMERS : PUTTERS
    const role = roles[soak.below(roles.length)] as Role
    const { begun, kill } = workers.victim({ role, sides, pick: soak.below(sides.length), producer })
    // Some are killed while they start.
    if (soak.chance() < 0.1) await pause(soak.below(50))
    else await begun.then(() => pause(soak.below(100)))
    await kill()
    count++
  }
  return count
}
