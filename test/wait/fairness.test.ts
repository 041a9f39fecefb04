/**
 * Asynchronous calls that need not wait leave the loop time for other work. Timers, immediates and
 * I/O run after a millisecond of such calls, whatever is done with each item.
 */
import { strict as assert } from 'node:assert'
import { setMaxListeners } from 'node:events'
import { select, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { within } from '../support.js'

const numbers = (capacity: number): ThreadSafeQueue<number, Float64Array> => new ThreadSafeQueue<number>(capacity, { type: 'float64' })

function filled(count: number): ThreadSafeQueue<number, Float64Array> {
  const queue = numbers(count)
  for (let k = 0; k < count; k++) queue.putSync(k)
  queue.close()
  return queue
}

function busy(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/**
 * Returns the most items that `consume` takes in a row before an immediate, and before a timer,
 * could run. `took` is called for each item.
 */
async function mostInARow(consume: (took: () => void) => Promise<void>): Promise<{ immediate: number; timer: number }> {
  const since = { immediate: 0, timer: 0 }
  const most = { immediate: 0, timer: 0 }
  let done = false
  const immediate = (): void => {
    since.immediate = 0
    if (!done) setImmediate(immediate)
  }
  setImmediate(immediate)
  const timer = setInterval(() => (since.timer = 0), 1)
  try {
    await within(
      'the consumer',
      consume(() => {
        for (const kind of ['immediate', 'timer'] as const) most[kind] = Math.max(most[kind], ++since[kind])
      }),
      30_000,
    )
  } finally {
    done = true
    clearInterval(timer)
  }
  return most
}

describe('a consumer of a queue that is never empty', () => {
  const WAYS: [name: string, each: (queue: ThreadSafeQueue<number, Float64Array>, fn: (item: number) => void) => Promise<void>][] = [
    [
      'for await',
      async (queue, fn) => {
        for await (const item of queue) fn(item)
      },
    ],
    [
      'get()',
      async (queue, fn) => {
        while (queue.qsize() > 0) fn(await queue.get())
      },
    ],
    [
      'batches()',
      async (queue, fn) => {
        for await (const batch of queue.batches(1)) fn(batch[0] as number)
      },
    ],
    [
      'select()',
      async (queue, fn) => {
        const never = new ThreadSafeEvent()
        while (queue.qsize() > 0) fn((await select([never, queue])).item as number)
      },
    ],
  ]

  for (const [name, each] of WAYS) {
    it(`by ${name} that works 3 ms on each lets the loop run after each item or two`, async () => {
      const queue = filled(100)
      const { immediate, timer } = await mostInARow((took) =>
        each(queue, () => {
          took()
          busy(3)
        }),
      )
      assert.ok(immediate <= 4 && timer <= 6, `${immediate} items before an immediate, ${timer} before a timer`)
    })

    it(`by ${name} that is fast at first, and then works 3 ms on each, lets the loop run soon`, async () => {
      const queue = filled(2000)
      const { immediate } = await mostInARow((took) =>
        each(queue, (item) => {
          if (item < 1950) return
          took()
          busy(3)
        }),
      )
      assert.ok(immediate <= 10, `${immediate} items before an immediate`)
    })

    it(`by ${name} that is fast takes many items in a row`, async () => {
      const queue = filled(100_000)
      let iterations = 0
      let done = false
      const count = (): void => {
        iterations++
        if (!done) setImmediate(count)
      }
      setImmediate(count)
      await within(
        'the consumer',
        each(queue, () => undefined),
        30_000,
      )
      done = true
      assert.ok(iterations > 0 && iterations < 5000, `${iterations} iterations of the loop for 100000 items`)
    })
  }

  it('may put and wait for room, and lets the loop run', async () => {
    const queue = numbers(1000)
    const { immediate } = await mostInARow(async (took) => {
      for (let k = 0; k < 100; k++) {
        await queue.put(k)
        took()
        busy(3)
      }
    })
    assert.ok(immediate <= 4, `${immediate} puts before an immediate`)
  })
})

describe('the cost of a call:', () => {
  const EVENT_WAITS: [name: string, make: () => [wait: () => Promise<unknown>, serve: (count: number) => void]][] = [
    [
      'event.wait()',
      () => {
        const event = new ThreadSafeEvent()
        return [() => event.wait(), () => event.set()]
      },
    ],
    [
      'event.wait({ timeout, signal })',
      () => {
        const event = new ThreadSafeEvent()
        const { signal } = new AbortController()
        setMaxListeners(0, signal)
        return [() => event.wait({ timeout: 1e6 }), () => event.set()]
      },
    ],
    [
      'select() of a queue and an event',
      () => {
        const [queue, event] = [numbers(4), new ThreadSafeEvent()]
        return [() => select([queue, event]), () => event.set()]
      },
    ],
    [
      'select() of a queue and two events, by the queue',
      () => {
        const [queue, one, two] = [numbers(20_000), new ThreadSafeEvent(), new ThreadSafeEvent()]
        return [() => select([one, queue, two]), (count) => void queue.putManySync(new Float64Array(count))]
      },
    ],
    [
      'get({ timeout })',
      () => {
        const queue = numbers(20_000)
        return [() => queue.get({ timeout: 1e6 + Math.random() * 1e6 }), (count) => void queue.putManySync(new Float64Array(count))]
      },
    ],
  ]

  for (const [name, make] of EVENT_WAITS) {
    it(`${name} costs the same however many calls wait`, async () => {
      async function microseconds(waiting: number, rounds: number): Promise<number> {
        const before = process.cpuUsage()
        for (let round = 0; round < rounds; round++) {
          const [wait, serve] = make()
          const all = Array.from({ length: waiting }, wait)
          serve(waiting)
          await within('all calls', Promise.all(all), 50_000)
        }
        const { user, system } = process.cpuUsage(before)
        return (user + system) / (waiting * rounds)
      }
      await microseconds(500, 10)
      const few = await microseconds(500, 30)
      const many = await microseconds(15_000, 1)
      assert.ok(many < 6 * few + 3, `${few.toFixed(1)} us each with 500, ${many.toFixed(1)} us each with 15000`)
    })
  }

  it('a ring for a queue costs the same however many calls wait for an event', async () => {
    const event = new ThreadSafeEvent()
    const queue = numbers(4)
    /** Takes the best of several rounds, as garbage of earlier tests is collected meanwhile. */
    const rounds = async (): Promise<number> => {
      let best = Infinity
      for (let attempt = 0; attempt < 5; attempt++) {
        const start = process.cpuUsage()
        for (let k = 0; k < 300; k++) {
          const got = queue.get()
          queue.putSync(k)
          await got
        }
        const { user, system } = process.cpuUsage(start)
        best = Math.min(best, (user + system) / 300)
      }
      return best
    }
    await rounds()
    const few = await rounds()
    const waits = Array.from({ length: 20_000 }, () => event.wait())
    const many = await rounds()
    event.set()
    await Promise.all(waits)
    assert.ok(many < 6 * few + 20, `${few.toFixed(1)} us each, ${many.toFixed(1)} us beside 20000 that wait for an event`)
  })
})
