/** How often a waiting call crosses into native code. A crossing costs as much as several puts. */
import { strict as assert } from 'node:assert'
import { type ElementType, ThreadSafeQueue } from '../../lib/index.js'
import { channelOfQueue } from '../../lib/queue/object.js'
import { native } from '../../lib/addon/native.js'
import { loopIterations, within } from '../support.js'

type Functions = Record<string, (...args: unknown[]) => unknown>

/**
 * Records the names of the addon's functions that are called from now on, except in `uncounted`.
 */
function countCalls(): { names: string[]; uncounted: (call: () => unknown) => void; end: () => void } {
  const names: string[] = []
  let counts = true
  const restore: (() => void)[] = []
  for (const [prefix, functions] of Object.entries({ '': native, 'queue.': native.queue }) as unknown as [string, Functions][]) {
    for (const [name, original] of Object.entries(functions)) {
      if (typeof original !== 'function') continue
      functions[name] = (...args) => {
        if (counts) names.push(prefix + name)
        return original(...args)
      }
      restore.push(() => (functions[name] = original))
    }
  }
  const uncounted = (call: () => unknown): void => {
    counts = false
    call()
    counts = true
  }
  return { names, uncounted, end: () => restore.forEach((one) => one()) }
}

const TYPES: ElementType[] = ['float64', 'any', 'bytes']
const item = (type: ElementType): unknown => (type === 'bytes' ? new Uint8Array(3) : 7)

describe('crossings into native code', () => {
  for (const type of TYPES) {
    it(`a waiting get of ${String(type)} makes at most 5`, async () => {
      const queue = new ThreadSafeQueue<unknown>(2, { type })
      await loopIterations()
      const { names, uncounted, end } = countCalls()
      try {
        const got = queue.get()
        await loopIterations(1)
        uncounted(() => queue.putSync(item(type)))
        await within('the item', got)
        await loopIterations()
        const once = ['listen', 'stagingArea']
        assert.ok(names.filter((name) => !once.includes(name)).length <= 5, names.join(', '))
        names.length = 0
        // The five calls concern its share of the loop's time, its announcement, and its end. Gets
        // are made one after another, as a consumer makes them.
        for (let k = 0; k < 10; k++) {
          const next = queue.get()
          await new Promise(setImmediate)
          uncounted(() => queue.putSync(item(type)))
          await within('the next item', next)
        }
        assert.ok(names.length <= 10 * 3 + 1, names.join(', '))
      } finally {
        end()
      }
    })

    it(`a waiting put of ${String(type)} tries at most twice`, async () => {
      const queue = new ThreadSafeQueue<unknown>(1, { type })
      queue.putSync(item(type))
      await loopIterations()
      const { lane } = channelOfQueue(queue) as unknown as { lane: Record<string, (...args: unknown[]) => unknown> }
      const { names, uncounted, end } = countCalls()
      let tries = 0
      for (const name of ['tryPut', 'tryPutFirst', 'putHeld', 'tryHeld']) {
        const original = lane[name]?.bind(lane)
        assert.ok(original)
        lane[name] = (...args) => {
          tries++
          return original(...args)
        }
      }
      try {
        const put = queue.put(item(type))
        await loopIterations(1)
        uncounted(() => queue.getSync())
        await within('the put', put)
        await loopIterations()
        assert.equal(tries, 2)
        assert.ok(names.filter((name) => name.startsWith('queue.')).length <= 4, names.join(', '))
      } finally {
        end()
      }
    })
  }
})
