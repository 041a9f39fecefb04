/**
 * The channels of the package `multithreading`. Their ends reach other threads through its own
 * spawn(), which turns functions into text. So functions passed to it may use nothing from outside
 * themselves.
 */
import { availableParallelism } from 'node:os'
import type * as multithreading from 'multithreading'
import type { Receiver, Sender } from 'multithreading'
import { onCore } from '../harness/affinity.js'
import type { Contender, Runner } from '../harness/case.js'
import { expectedSum } from './passing.js'
import { itemsOf } from './payload.js'
import type { Setup } from './way.js'

/** Loads the package. It needs two globals that Node has had only since 21 and 22. */
export async function loadMultithreading(): Promise<typeof multithreading> {
  const globals = globalThis as { navigator?: unknown }
  globals.navigator ??= { hardwareConcurrency: availableParallelism() }
  const promises = Promise as { withResolvers?: unknown }
  promises.withResolvers ??= () => {
    let resolve, reject
    const promise = new Promise((a, b) => ([resolve, reject] = [a, b]))
    return { promise, resolve, reject }
  }
  return import('multithreading')
}

/** Loads the package with a pool of one thread, which is started here and stays on that core. */
export async function oneWorkerOn(place: number): Promise<typeof multithreading> {
  const loaded = await loadMultithreading()
  loaded.initRuntime({ maxWorkers: 1 })
  // The pool starts its thread with the first task.
  await onCore(place, () => loaded.spawn(() => undefined)).join()
  return loaded
}

/** The default of 64 KiB is too little for most of what is measured. */
export const CHANNEL_BYTES = 2 ** 24

export const MULTITHREADING = {
  id: 'multithreading',
  name: 'multithreading, channel',
  package: 'multithreading',
} as const

interface Times {
  readonly start: number
  readonly end: number
  readonly sum: number
}

/** Runs in the package's worker: sends items, which the function in `makerText` makes. */
function produce(sender: Sender<unknown>, first: number, count: number, makerText: string): Times {
  const make = (0, eval)(makerText) as (k: number) => unknown
  const start = Number(process.hrtime.bigint())
  for (let k = 0; k < count; k++) {
    const result = sender.blockingSend(make(first + k))
    if (!result.ok) throw result.error
  }
  return { start, end: Number(process.hrtime.bigint()), sum: 0 }
}

function consume(receiver: Receiver<unknown>, count: number, readerText: string): Times {
  const read = (0, eval)(readerText) as (item: unknown) => number
  const start = Number(process.hrtime.bigint())
  let sum = 0
  for (let k = 0; k < count; k++) {
    const result = receiver.blockingRecv()
    if (!result.ok) throw result.error
    sum += read(result.value)
  }
  return { start, end: Number(process.hrtime.bigint()), sum }
}

/** Functions as text, for a thread that can't import what this file imports. */
const MAKERS = {
  number: { make: '(k) => k', read: '(item) => item' },
  object: { make: `(k) => ({ id: k, name: 'sensor 17', x: k + 0.5, y: -k, tags: ['north', 'roof', 'spare'] })`, read: '(item) => item.id' },
}

function textsFor({ payload }: Setup): { make: string; read: string } | undefined {
  if (payload.kind === 'number' || payload.kind === 'object') return MAKERS[payload.kind]
  if (payload.kind === 'bytes') return undefined
  const { make } = itemsOf(payload)
  const texts = Array.from({ length: 64 }, (_, k) => make(k))
  return { make: `((texts) => (k) => texts[k % 64])(${JSON.stringify(texts)})`, read: '(item) => item.charCodeAt(0) - 48' }
}

async function openChannel(setup: Setup, texts: { make: string; read: string }): Promise<Runner> {
  const { spawn, move, channel, initRuntime } = await loadMultithreading()
  const { producers, consumers, capacity, payload } = setup
  initRuntime({ maxWorkers: producers + consumers })
  const [sender, receiver] = channel<unknown>(capacity, { size: CHANNEL_BYTES })
  return async (items) => {
    const each = Math.ceil(items / producers / consumers)
    const tasks = [
      ...Array.from({ length: consumers }, () => spawn(move(receiver.clone(), each * producers, texts.read), consume)),
      ...Array.from({ length: producers }, (_, k) =>
        spawn(move(sender.clone(), k * each * consumers, each * consumers, texts.make), produce),
      ),
    ]
    const times = await Promise.all(
      tasks.map(async (task) => {
        const result = await task.join()
        if (!result.ok) throw result.error
        return result.value as Times
      }),
    )
    const count = each * producers * consumers
    const sum = times.reduce((total, time) => total + time.sum, 0)
    if (sum !== expectedSum(payload, count)) throw new Error(`the items that came out sum up to ${sum}`)
    return (Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ start }) => start))) / count
  }
}

export function multithreadingPassing(setup: Setup): Contender {
  const texts = textsFor(setup)
  if (!texts) return { ...MULTITHREADING, cannot: 'its channels carry JSON only' }
  return { ...MULTITHREADING, note: 'blockingSend and blockingRecv', open: () => openChannel(setup, texts) }
}
