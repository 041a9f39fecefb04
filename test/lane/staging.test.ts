/** Workers are killed at any moment while their items pass through staging areas. */
import { strict as assert } from 'node:assert'
import type { Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from '../../lib/index.js'
import { type Kind, KINDS } from '../fixtures/staging-items.js'
import { repetitions, startWorker, until, within } from '../support.js'

const KILLS = Number(process.env.KILLS ?? repetitions(12))

/** The first number of the second producer. */
const SECOND = 1e9

describe('workers that are killed in the middle of puts and gets of', () => {
  const workers: Worker[] = []
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  for (const { name, type, make, read } of KINDS) {
    for (const batch of [1, 50]) {
      it(`${name}${batch > 1 ? ', in batches,' : ''} leave the queue as good as before`, () => check(name, type, make, read, batch))
    }
  }

  async function check(name: string, type: Kind['type'], make: Kind['make'], read: Kind['read'], batch: number): Promise<void> {
    for (let round = 0; round < KILLS; round++) {
      const queue = new ThreadSafeQueue<unknown>(round % 2 === 0 ? 100 : 13, { type: type as 'any' })
      const flood = (role: 'put' | 'get', first: number) => {
        const worker = startWorker('staging-flood', { handle: queue.handle, role, kind: name, first, batch })
        workers.push(worker)
        return worker
      }
      const other = flood('put', 0)
      const victim = flood(round % 3 === 0 ? 'get' : 'put', SECOND)
      const next = [0, SECOND]
      const takeSome = () => {
        for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet()) {
          const number = read(item as never)
          const producer = number < SECOND ? 0 : 1
          assert.ok(number >= (next[producer] as number), `${number} after ${next[producer]}`)
          next[producer] = number + 1
        }
      }
      const untilNumber = (number: number) =>
        until(
          `number ${number} to come`,
          () => {
            takeSome()
            return (next[0] as number) >= number
          },
          20_000,
        )
      await untilNumber(200 + (round % 12) * 31)
      await within('the end of the victim', victim.terminate())
      await untilNumber((next[0] as number) + 200)
      await within('the end of the other', other.terminate())
      await until('the queue to be empty', () => {
        takeSome()
        return queue.qsize() === 0
      })
      // Items of each type that take one slot.
      const short = type === 'any' ? 1 : type === 'string' ? 'x' : type === 'bytes' ? new Uint8Array(8) : make(1)
      let count = 0
      while (queue.tryPut(short)) count++
      assert.equal(count, queue.capacity)
    }
  }
})
