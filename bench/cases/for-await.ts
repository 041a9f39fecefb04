/**
 * The cost for an event loop of receiving an item when the producer is ahead, so that nobody ever
 * waits.
 */
import { MessageChannel } from 'node:worker_threads'
import { ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Runner } from '../harness/case.js'
import { CHANNEL_BYTES, loadMultithreading, MULTITHREADING } from '../peers/multithreading.js'

const BATCH = 8192

/**
 * `fill` sends the numbers below `count`; `drain` receives as many and returns their sum. Only
 * `drain` is timed.
 */
function inBatches(fill: (count: number) => void, drain: (count: number) => Promise<number>): Runner {
  return async (items) => {
    let nanoseconds = 0n
    let received = 0
    while (received < items) {
      const count = Math.min(BATCH, items - received)
      fill(count)
      const start = process.hrtime.bigint()
      const sum = await drain(count)
      nanoseconds += process.hrtime.bigint() - start
      if (sum !== (count * (count - 1)) / 2) throw new Error(`the items that came out sum up to ${sum}`)
      received += count
    }
    return Number(nanoseconds) / received
  }
}

async function sumOf(items: AsyncIterable<number>, count: number): Promise<number> {
  let sum = 0
  let missing = count
  for await (const item of items) {
    sum += item
    if (--missing === 0) break
  }
  return sum
}

function byIteration(): Runner {
  const queue = new ThreadSafeQueue<number>(BATCH, { type: 'float64' })
  const fill = (count: number) => {
    for (let k = 0; k < count; k++) queue.putSync(k)
  }
  return inBatches(fill, (count) => sumOf(queue, count))
}

function byForEach(): Runner {
  const queue = new ThreadSafeQueue<number>(BATCH, { type: 'float64' })
  const fill = (count: number) => {
    for (let k = 0; k < count; k++) queue.putSync(k)
  }
  return inBatches(fill, async (count) => {
    let sum = 0
    let missing = count
    const enough = new AbortController()
    const add = (item: number) => {
      sum += item
      if (--missing === 0) enough.abort()
    }
    await queue.forEach(add, { signal: enough.signal }).catch((error: unknown) => {
      if (!enough.signal.aborted) throw error
    })
    return sum
  })
}

function byGet(): Runner {
  const queue = new ThreadSafeQueue<number>(BATCH, { type: 'float64' })
  const fill = (count: number) => {
    for (let k = 0; k < count; k++) queue.putSync(k)
  }
  return inBatches(fill, async (count) => {
    let sum = 0
    for (let k = 0; k < count; k++) sum += await queue.get()
    return sum
  })
}

function byEvents(): Runner {
  const { port1, port2 } = new MessageChannel()
  const fill = (count: number) => {
    for (let k = 0; k < count; k++) port1.postMessage(k)
  }
  const drain = (count: number) =>
    new Promise<number>((resolve) => {
      let sum = 0
      let missing = count
      port2.on('message', function onMessage(item: number) {
        sum += item
        if (--missing > 0) return
        port2.off('message', onMessage)
        resolve(sum)
      })
    })
  return inBatches(fill, drain)
}

async function byChannel(): Promise<Runner> {
  const [sender, receiver] = (await loadMultithreading()).channel<number>(BATCH, { size: CHANNEL_BYTES })
  const fill = (count: number) => {
    for (let k = 0; k < count; k++) sender.blockingSend(k)
  }
  return inBatches(fill, async (count) => {
    let sum = 0
    // recv() instead of the receiver's iterator, which can't be resumed once a loop has left it.
    for (let k = 0; k < count; k++) {
      const result = await receiver.recv()
      if (!result.ok) throw result.error
      sum += result.value
    }
    return sum
  })
}

export const forAwait: readonly Case[] = [
  {
    id: 'for-await',
    title: 'An event loop receives what is there already: for await',
    topology: '1 to 1',
    kind: 'rate',
    unit: 'ns/item',
    everywhere: true,
    contenders: [
      { id: 'threadsafe', name: 'threadsafe, for await', package: 'threadsafe', everywhere: true, open: byIteration },
      { id: 'threadsafe-for-each', name: 'threadsafe, forEach()', package: 'threadsafe', everywhere: true, open: byForEach },
      { id: 'threadsafe-get', name: 'threadsafe, await queue.get()', package: 'threadsafe', open: byGet },
      { id: 'postMessage', name: "postMessage, on('message')", note: 'unbounded', everywhere: true, open: byEvents },
      { ...MULTITHREADING, name: 'multithreading, await recv()', open: byChannel },
      { id: 'ringbuf', name: 'ringbuf.js', package: 'ringbuf.js', cannot: 'it can not be awaited' },
    ],
    goals: [
      {
        text: "forEach, producer ahead: >= 12 x faster than port.on('message')",
        of: 'threadsafe-for-each',
        against: 'postMessage',
        atMost: 1 / 12,
      },
      { text: "for await, producer ahead: >= 5 x faster than port.on('message')", against: 'postMessage', atMost: 1 / 5 },
    ],
  },
]
