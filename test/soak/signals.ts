/** Signals, timers, native threads, and records that a native thread and a handler write. */
import { native } from '../../lib/addon/native.js'
import {
  attachSignal,
  SharedRecord,
  type SignalInfo,
  signalInfo,
  type SignalSource,
  SignalTimer,
  ThreadSafeQueue,
} from '../../lib/index.js'
import { nativeAddon, type NativeRecord } from '../fixtures/native-addon.js'
import { checked, shared, written } from '../fixtures/shared-values.js'
import { isSent } from '../fixtures/signals-send.js'
import { until, within } from '../support.js'
import { clock, type Part, pause, PATIENCE, type Soak } from './soak.js'

const WRITERS_SIGNAL = native.firstRealtimeSignal + 9
const HANDLER_PAUSE_NS = 50_000

interface Drained {
  readonly received: number
  readonly dropped: number
}

/**
 * Takes what the source delivers until the soak ends and `settled` resolves, and detaches it then.
 * Checks that each signal that was delivered was got.
 */
async function drain(
  soak: Soak,
  name: string,
  source: SignalSource,
  queue: ThreadSafeQueue<SignalInfo>,
  settled: () => Promise<unknown>,
  note: (info: SignalInfo) => void = () => undefined,
): Promise<Drained> {
  let got = 0
  const consumer = queue.forEach((info) => {
    got++
    note(info)
  })
  while (soak.running) await pause(50)
  await settled()
  source.detach()
  const { received, delivered, dropped } = source.stats()
  await until(`what ${name} has delivered`, () => got === delivered, PATIENCE)
  soak.count(`${name}: signals`, got)
  soak.count(`${name}: dropped`, dropped)
  queue.close()
  await consumer
  return { received, dropped }
}

/** Runs a timer, and compares the expirations that it reports with the time that has passed. */
async function tick(soak: Soak, name: string, microseconds: number, thread: 'own' | 'loop'): Promise<void> {
  const queue = new ThreadSafeQueue(1000, { type: signalInfo })
  let last = 0n
  let overruns = 0
  /** The expirations of ticks that were got. */
  let got = 0
  let end = 2n ** 63n
  let ticksAfterEnd = 0
  let gotAtEnd = 0
  const begun = process.hrtime.bigint()
  const timer = new SignalTimer(microseconds, queue, { thread })
  const running = process.hrtime.bigint()
  const due = (from: bigint, to: bigint): number => Math.floor(Number(to - from) / (1000 * microseconds))

  const settled = async (): Promise<void> => {
    end = process.hrtime.bigint()
    await until(`two more ticks of ${name}`, () => ticksAfterEnd >= 2, PATIENCE)
  }
  const { received, dropped } = await drain(soak, name, timer, queue, settled, ({ timestamp, overrun }) => {
    soak.latency(`${name}: from the handler to the loop`, clock() - Number(timestamp))
    soak.check(timestamp >= last, 'ticks come in their order', { name, timestamp, last })
    last = timestamp
    overruns += overrun
    got += 1 + overrun
    // The first tick may have been sent before the end and handled after it. The second was sent
    // when the first had been handled, so by then each expiration until the end is counted.
    if (timestamp > end && ++ticksAfterEnd === 2) gotAtEnd = got
  })
  const most = due(begun, process.hrtime.bigint())
  const least = due(running, end)
  soak.check(received + overruns <= most, 'no tick is counted twice', { name, received, overruns, dropped, most })
  // The overruns of ticks that were dropped are unknown.
  if (dropped === 0) soak.check(gotAtEnd >= least, 'each tick is counted', { name, gotAtEnd, overruns, least })
}

export const signals: Part = {
  name: 'signals',
  async run(soak) {
    const roomy = new ThreadSafeQueue(1000, { type: signalInfo })
    const few = new ThreadSafeQueue(4, { type: signalInfo })
    const sent = { SIGUSR2: 0, 'SIGRTMIN+7': 0 }
    const send = async (): Promise<void> => {
      while (soak.running) {
        for (let k = 0; k < 20; k++) {
          const signal = k % 2 === 0 ? 'SIGUSR2' : 'SIGRTMIN+7'
          // The kernel's queue may be full, as each user may have only so many.
          if (isSent(process.pid, signal, k)) sent[signal]++
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
    const sources = [attachSignal('SIGUSR2', roomy), attachSignal('SIGRTMIN+7', few)] as const
    const sender = send()
    // The kernel queues each real-time signal, while it merges others.
    const allReceived = async (): Promise<void> => {
      await sender
      const all = (): boolean => sources[1].stats().received >= sent['SIGRTMIN+7']
      // The check at the end reports with its context what is missing.
      await until('all real-time signals', all, PATIENCE).catch(() => undefined)
    }
    const [merged, queued] = await Promise.all([
      drain(soak, 'SIGUSR2', sources[0], roomy, () => sender),
      drain(soak, 'SIGRTMIN+7 into 4 slots', sources[1], few, allReceived),
      tick(soak, 'timer of 1 ms, own thread', 1000, 'own'),
      tick(soak, 'timer of 2 ms, this thread', 2000, 'loop'),
      listen(),
    ])
    const context = { sent, merged, queued }
    soak.check(queued.received === sent['SIGRTMIN+7'], 'each real-time signal is received once', context)
    soak.check(0 < merged.received && merged.received <= sent.SIGUSR2, 'no signal is received twice', context)
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
