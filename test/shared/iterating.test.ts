/** The iterator of a record, and of a message, beside a thread that writes every few microseconds. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Message, record, SharedRecord } from '../../lib/index.js'
import type { SharedTask } from '../fixtures/shared-worker.js'
import { repetitions, startWorker, within } from '../support.js'

const ROUNDS = repetitions(3000)
const point = record({ n: 'float64' })
const TARGETS = { record: () => new SharedRecord(point), message: () => new Message({ type: point }) }

/** A `next()` of which is known whether it is over. */
class Next {
  readonly promise: Promise<IteratorResult<{ n: number }, undefined>>
  over = false

  constructor(iterator: AsyncIterator<{ n: number }, undefined>) {
    this.promise = iterator.next().finally(() => (this.over = true))
  }
}

/** Long enough for what tidies up behind a call, and no iteration of the event loop. */
async function microtasks(): Promise<void> {
  for (let k = 0; k < 20; k++) await undefined
}

for (const kind of ['record', 'message'] as const) {
  describe(`the iterator of a ${kind} that is written all the time`, function () {
    this.timeout(60_000)
    let worker: Worker | undefined
    afterEach(() => worker?.terminate())

    it('knows of a pending next() whatever the one before it has left', async () => {
      const target = TARGETS[kind]()
      worker = startWorker('shared-worker', { does: 'count', target: target.handle } satisfies SharedTask)
      await once(worker, 'message')
      const pending = { returned: 0, followed: 0 }
      for (let round = 0; round < ROUNDS; round++) {
        const iterator = target[Symbol.asyncIterator]() as AsyncIterableIterator<{ n: number }, undefined>
        // A message gives its current value first, without waiting.
        if (kind === 'message') await iterator.next()
        await within('the next value', iterator.next())
        const second = new Next(iterator)
        await microtasks()
        if (second.over) continue
        if (round % 2 === 0) {
          pending.returned++
          void iterator.return?.()
          assert.deepEqual(await within('the end', second.promise), { value: undefined, done: true })
        } else {
          pending.followed++
          const both = await within('two values', Promise.all([second.promise, iterator.next()]))
          assert.notDeepEqual(both[0], both[1])
        }
      }
      assert.ok(pending.returned > 0 && pending.followed > 0, JSON.stringify(pending))
    })
  })
}
