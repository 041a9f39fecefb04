/** From a native thread of another addon to the event loop. */
import { ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Runner } from '../harness/case.js'
import { now } from '../harness/clock.js'
import { benchAddon } from '../harness/native.js'

const CALLS = 300
const PAUSE_MICROSECONDS = 300
const CAPACITY = 1000

type Start = (times: number, pauseMicroseconds: number) => void

/**
 * Measures the latencies of `items` callbacks, each of which carries the time of its call. `open`
 * returns a function that starts the thread that makes them.
 */
function callbacks(open: (callback: (stamp: number) => void) => Start): (items: number, pause: number) => Promise<number[]> {
  let latencies: number[] = []
  let missing = 0
  let done: () => void = () => undefined
  const start = open((stamp) => {
    latencies.push(now() - stamp)
    if (--missing === 0) done()
  })
  return (items, pause) =>
    new Promise((resolve) => {
      latencies = []
      missing = items
      done = () => resolve(latencies)
      start(items, pause)
    })
}

function threadsafeFunction(callback: (stamp: number) => void): Start {
  const addon = benchAddon()
  const address = addon.openThreadsafeFunction(callback)
  return (times, pause) => addon.callFromThread(address, times, pause)
}

function bareAsync(callback: (stamp: number) => void): Start {
  const addon = benchAddon()
  const address = addon.openAsync(callback)
  return (times, pause) => addon.sendAsyncFromThread(address, times, pause)
}

const latency = (open: typeof bareAsync) => (): Runner => {
  const call = callbacks(open)
  return (items) => call(items, PAUSE_MICROSECONDS)
}

function rate(): Runner {
  const call = callbacks(threadsafeFunction)
  return async (items) => {
    const start = now()
    await call(items, 0)
    return (now() - start) / items
  }
}

/**
 * A native thread puts `items` through the C API. Returns how long after its put each one reaches
 * the loop.
 */
function puts(pause: number): (items: number) => Promise<number[]> {
  const addon = benchAddon()
  const queue = new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' })
  return async (items) => {
    const latencies: number[] = []
    addon.putFromThread(queue.native, items, pause)
    for await (const stamp of queue) if (latencies.push(now() - stamp) === items) break
    return latencies
  }
}

const putLatency = (): Runner => puts(PAUSE_MICROSECONDS)

function putRate(): Runner {
  const receive = puts(0)
  return async (items) => {
    const start = now()
    await receive(items)
    return (now() - start) / items
  }
}

const OURS = { id: 'threadsafe', name: 'threadsafe, put of the C API', package: 'threadsafe', native: true }
const TSFN = { id: 'napi-tsfn', name: 'napi_threadsafe_function', native: true }

export const nativeToLoop: readonly Case[] = [
  {
    id: 'native-to-loop',
    title: 'Native thread to an event loop that awaits',
    topology: 'native',
    kind: 'latency',
    unit: 'us',
    items: CALLS,
    contenders: [
      { ...OURS, open: putLatency },
      { ...TSFN, open: latency(threadsafeFunction) },
      { id: 'uv-async', name: 'bare uv_async_send', native: true, open: latency(bareAsync) },
    ],
  },
  {
    id: 'native-to-loop-rate',
    title: 'Native thread to an event loop, item by item',
    topology: 'native',
    kind: 'rate',
    unit: 'ns/item',
    contenders: [
      { ...OURS, open: putRate },
      { ...TSFN, note: 'unbounded', open: rate },
      { id: 'uv-async', name: 'bare uv_async_send', cannot: 'it carries no items' },
    ],
  },
]
