/** From a native thread, as another addon has them, to the event loop. */
import type { Case, Runner } from '../harness/case.js'
import { now } from '../harness/clock.js'
import { benchAddon } from '../harness/native.js'

const CALLS = 300
const PAUSE_MICROSECONDS = 300

type Start = (times: number, pauseMicroseconds: number) => void

/** Calls back `items` times, with the time of each call. `open` answers what starts the thread that makes them. */
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

const OURS = { id: 'threadsafe', name: 'threadsafe, put of the C API', package: 'threadsafe', cannot: 'comes with the C API' }
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
      OURS,
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
      OURS,
      { ...TSFN, note: 'unbounded', open: rate },
      { id: 'uv-async', name: 'bare uv_async_send', cannot: 'it carries no items' },
    ],
  },
]
