/** Signals, timers, native threads, and records that a native thread and a handler write. */
import { native } from '../../lib/addon/native.js'
import {
  attachSignal,
  sendSignal,
  SharedRecord,
  type SignalInfo,
  signalInfo,
  type SignalSource,
  SignalTimer,
  ThreadSafeQueue,
} from '../../lib/index.js'
import { nativeAddon, type NativeRecord } from '../fixtures/native-addon.js'
import { checked, shared, written } from '../fixtures/shared-values.js'
import { until, within } from '../support.js'
import { clock, type Part, pause, PATIENCE, type Soak } from './soak.js'

const WRITERS_SIGNAL = native.firstRealtimeSignal + 9
const HANDLER_PAUSE_NS = 50_000

/**
 * Takes what the source delivers until the soak ends. Checks that each signal was delivered or
 * dropped, and that each one delivered was got.
 */
async function drain(soak: Soak, name: string, source: SignalSource, queue: ThreadSafeQueue<SignalInfo>): Promise<void> {
  let got = 0
  let last = 0n
  const consumer = queue.forEach(({ timestamp }) => {
    got++
    if (name.startsWith('timer')) {
      soak.latency(`${name}: from the handler to the loop`, clock() - Number(timestamp))
      soak.check(timestamp >= last, 'ticks come in their order', { name, timestamp, last })
    }
    last = timestamp
  })
  while (soak.running) await pause(50)
  source.detach()
  const { received, delivered, dropped } = source.stats()
  await until(`what ${name} has delivered`, () => got === delivered, PATIENCE)
  soak.check(received === delivered + dropped && delivered === got, 'received = delivered + dropped', { name, got, stats: source.stats() })
  soak.count(`${name}: signals`, got)
  soak.count(`${name}: dropped`, dropped)
  queue.close()
  await consumer
}

export const signals: Part = {
  name: 'signals',
  async run(soak) {
    const queue = (capacity: number) => new ThreadSafeQueue(capacity, { type: signalInfo })
    const [own, loop, sent, few] = [queue(1000), queue(1000), queue(1000), queue(4)]
    const send = async (): Promise<void> => {
      while (soak.running) {
        try {
          for (let k = 0; k < 20; k++) sendSignal(process.pid, k % 2 === 0 ? 'SIGUSR2' : 'SIGRTMIN+7', k)
        } catch (error) {
          // EAGAIN is expected, as the number of queued signals is limited for each user.
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        }
        await pause(soak.chance() * 4)
      }
    }
    const listen = async (): Promise<void> => {
      while (soak.running) {
        const listener = (): void => soak.count('SIGUSR2: heard by process.on()')
        process.on('SIGUSR2', listener)
        await pause(soak.chance() * 20)
        process.off('SIGUSR2', listener)
        await pause(soak.chance() * 20)
      }
    }
    const sources = [attachSignal('SIGUSR2', sent), attachSignal('SIGRTMIN+7', few)] as const
    await Promise.all([
      drain(soak, 'timer of 1 ms, own thread', new SignalTimer(1000, own), own),
      drain(soak, 'timer of 2 ms, this thread', new SignalTimer(2000, loop, { thread: 'loop' }), loop),
      drain(soak, 'SIGUSR2', sources[0], sent),
      drain(soak, 'SIGRTMIN+7 into 4 slots', sources[1], few),
      send(),
      listen(),
    ])
  },
}

/** Native threads put and get the items 0, 1, 2 and so on. */
export const nativeThreads: Part = {
  name: 'native threads',
  async run(soak) {
    const addon = nativeAddon()
    while (soak.running) {
      const items = 1000 + soak.below(20_000)
      const queue = new ThreadSafeQueue(64, { type: 'float64' })
      const produced = addon.start('produce', queue.native, items, 0) as Parameters<typeof addon.finish>[0]
      let next = 0
      await within(
        'the items of a native thread',
        (async () => {
          while (next < items) {
            for (const item of await queue.getMany(32)) soak.check(item === next++, 'FIFO', { item, next })
          }
        })(),
        PATIENCE,
      )
      addon.finish(produced)

      const consumed = addon.start('consume', queue.native, items, 0) as Parameters<typeof addon.finish>[0]
      await within('room', queue.putMany(Float64Array.from({ length: items }, (_, k) => k)), PATIENCE)
      await until('the end of a native consumer', () => addon.look(consumed).done === 1, PATIENCE)
      const { sum, items: taken } = addon.look(consumed)
      addon.finish(consumed)
      soak.check(taken === items && sum === (items * (items - 1)) / 2, 'nothing lost', { taken, items, sum })
      soak.count('items of native threads', 2 * items)
      await pause(soak.chance() * 100)
    }
  },
}

/** A record that a native thread, a handler and this loop write. */
export const handlerWriters: Part = {
  name: 'handler writers',
  async run(soak) {
    const addon = nativeAddon()
    while (soak.running) {
      const record = new SharedRecord(shared)
      const opened = addon.openRecord(record.native, 8) as NativeRecord
      const check = checked()
      addon.startWriters(opened, WRITERS_SIGNAL, HANDLER_PAUSE_NS)
      let writes = 0
      const end = performance.now() + 30
      while (performance.now() < end) {
        for (let k = 0; k < 200; k++) {
          check(record.read())
          record.write(written(++writes, 'byMain'))
        }
        await pause(1)
      }
      const { byThread, byHandler } = addon.stopWriters(WRITERS_SIGNAL)
      const { version, value } = record.readWithVersion()
      const right = version === byThread + byHandler + writes && value.byHandler === byHandler && value.byMain === writes
      soak.check(right, 'no write is lost', { version, value, byThread, byHandler, writes })
      soak.count('record: writes of a native thread', byThread)
      soak.count('record: writes of a handler', byHandler)
      soak.count('record: retries', record.stats().retries)
      addon.recordClose(opened)
      await pause(soak.chance() * 300)
    }
  },
}
