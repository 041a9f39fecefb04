/**
 * Objects of all kinds are made, used once and dropped. The collector must free them, though calls
 * still wait on them and sources are attached.
 */
import {
  attachSignal,
  BufferPool,
  Lock,
  Message,
  record,
  select,
  SharedRecord,
  signalInfo,
  SignalTimer,
  ThreadSafeEvent,
  ThreadSafeQueue,
} from '../../lib/index.js'
import { until } from '../support.js'
import { type Part, pause, PATIENCE, type Soak } from './soak.js'
import { KINDS } from './sides.js'

const MAKERS: readonly ((soak: Soak) => unknown)[] = [
  async (soak) => {
    const { type, make, read } = KINDS[soak.below(KINDS.length)] as (typeof KINDS)[number]
    const queue = new ThreadSafeQueue(1 + soak.below(1000), { type: type as 'any', itemBytes: 1024 }) as ThreadSafeQueue
    const n = soak.below(1e6)
    queue.putSync(make(n))
    soak.check(read((await queue.get()) as never) === n, 'what was put', n)
  },
  async (soak) => {
    const [queue, event, message] = [new ThreadSafeQueue<number>(4), new ThreadSafeEvent(), new Message<number>()]
    const selected = select([queue, event, message], { timeout: 60_000 })
    const index = soak.below(3)
    if (index === 0) queue.putSync(1)
    else if (index === 1) event.set()
    else message.set(1)
    const found = (await selected).index
    soak.check(found === index, 'select takes what is ready', { index, found })
  },
  async () => {
    // One get times out, and close() rejects the other.
    const queue = new ThreadSafeQueue(1)
    await queue.get({ timeout: 1 }).catch(() => undefined)
    queue.unref()
    void queue.get().catch(() => undefined)
    queue.close()
  },
  () => new SharedRecord(record({ x: 'float64' }), { x: 1 }).update(({ x }) => ({ x: x + 1 })),
  // Lease and lock are given back, as a thread keeps the memory of what it owns until it ends.
  () => new BufferPool(4, 'uint8[4096]').tryLend()?.release(),
  () => new Lock().tryAcquire()?.release(),
  async () => {
    const queue = new ThreadSafeQueue(2, { type: signalInfo })
    attachSignal('SIGRTMIN+7', queue).detach()
    // A timer takes one of the pending signals that a user may have, which other programs may have
    // used up for a while.
    const isMade = (): boolean => {
      try {
        new SignalTimer(500, queue).stop()
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        return false
      }
    }
    await until('room for one more timer', isMade, PATIENCE)
  },
]

export const churn: Part = {
  name: 'churn',
  async run(soak) {
    while (soak.running) {
      for (const make of MAKERS) {
        await make(soak)
        soak.count('objects made and dropped')
      }
      await pause(soak.chance() * 20)
    }
  },
}
