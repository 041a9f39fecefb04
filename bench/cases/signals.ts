/** POSIX signals, and a timer that fires them, to the event loop. */
import { constants } from 'node:os'
import { attachSignal, sendSignal, type SignalInfo, signalInfo, SignalTimer, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { now, sleep } from '../harness/clock.js'
import { Crew, type Roles } from '../harness/crew.js'
import { benchAddon, nativeRunner } from '../harness/native.js'

const SIGNAL = 'SIGUSR2'
const SIGNALS = 300
const PAUSE = 0.3

interface Shared {
  readonly stamp: SharedArrayBuffer
  readonly seen: SharedArrayBuffer
}

export const roles: Roles = {
  /** Sends one signal at a time, each once the last has been seen. */
  sender({ stamp, seen }: Shared) {
    const stamps = new Float64Array(stamp)
    const count = new Int32Array(seen)
    return (signals) => {
      const first = Atomics.load(count, 0)
      for (let k = 0; k < signals; k++) {
        sleep(PAUSE)
        stamps[0] = now()
        sendSignal(process.pid, SIGNAL)
        Atomics.wait(count, 0, first + k)
      }
    }
  },
}

const signalQueue = (capacity = 1024) => new ThreadSafeQueue<SignalInfo>(capacity, { type: signalInfo })

/** Calls back with the handler's time, or with nothing if only the sender's time is known. */
type Listen = (onSignal: (handled?: number) => void) => void

function latencyRunner(from: 'handler' | 'sender', listen: Listen): () => Runner {
  return () => {
    const shared: Shared = { stamp: new SharedArrayBuffer(8), seen: new SharedArrayBuffer(4) }
    const stamps = new Float64Array(shared.stamp)
    const seen = new Int32Array(shared.seen)
    let latencies: number[] = []
    listen((handled) => {
      latencies.push(now() - (from === 'handler' ? (handled as number) : (stamps[0] as number)))
      Atomics.add(seen, 0, 1)
      Atomics.notify(seen, 0)
    })
    const crew = new Crew([{ module: import.meta.url, role: 'sender', data: shared }])
    return async (signals) => {
      await crew.run(signals)
      const measured = latencies
      latencies = []
      return measured
    }
  }
}

const byQueue: Listen = (onSignal) => {
  const queue = signalQueue()
  attachSignal(SIGNAL, queue)
  void (async () => {
    for (;;) onSignal(Number((await queue.get()).timestamp))
  })()
}

const byEvent: Listen = (onSignal) => {
  const event = new ThreadSafeEvent()
  attachSignal(SIGNAL, event)
  void (async () => {
    for (;;) {
      await event.wait()
      event.clear()
      onSignal()
    }
  })()
}

const byAsync: Listen = (onSignal) => {
  const addon = benchAddon()
  addon.sendAsyncOnSignal(constants.signals[SIGNAL], addon.openAsync(onSignal))
}

const byProcess: Listen = (onSignal) => void process.on(SIGNAL, () => onSignal())

/**
 * Measures the share of a burst that does not arrive, in percent. `received` returns how many have
 * arrived so far.
 */
function burstRunner(listen: () => { received(): number }): () => Runner {
  return () => {
    const { received } = listen()
    let before = 0
    return async (signals) => {
      // The loop is blocked meanwhile, so signals that arrive must be kept somewhere.
      for (let k = 0; k < signals; k++) sendSignal(process.pid, SIGNAL)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const arrived = received() - before
      before += arrived
      return (100 * (signals - arrived)) / signals
    }
  }
}

const LINUX_ONLY = process.platform === 'linux' ? undefined : 'SignalTimer is for Linux'
const TICK = 1000

/** Returns, in nanoseconds, how far the time between two ticks is from what it should be. */
function jitter(stamps: readonly number[], ticks: readonly number[]): number[] {
  return stamps.slice(1).map((stamp, k) => Math.abs(stamp - (stamps[k] as number) - (ticks[k + 1] as number) * TICK * 1000))
}

/**
 * Returns how late each tick was, in nanoseconds. Nobody knows when the first one was due, so the
 * earliest tick counts as punctual. `ticks` has the number of expirations that each tick reports;
 * it was due at the first of them.
 */
function lateness(stamps: readonly number[], ticks: readonly number[]): number[] {
  let expired = 0
  const since = stamps.map((stamp, k) => {
    const due = expired * TICK * 1000
    expired += ticks[k] as number
    return stamp - (stamps[0] as number) - due
  })
  const soonest = Math.min(...since)
  return since.map((late) => late - soonest)
}

type Judge = typeof jitter

function timerRunner(judge: Judge, stampOf: (info: SignalInfo) => number, thread: 'own' | 'loop' = 'own'): () => Runner {
  return () => async (count) => {
    const queue = signalQueue()
    const timer = new SignalTimer(TICK, queue, { thread })
    const stamps: number[] = []
    const ticks: number[] = []
    while (stamps.length < count) {
      const info = await queue.get()
      stamps.push(stampOf(info))
      ticks.push(1 + info.overrun)
    }
    timer.stop()
    return judge(stamps, ticks)
  }
}

function intervalRunner(judge: Judge): Runner {
  return (count) =>
    new Promise((resolve) => {
      const stamps: number[] = []
      const interval = setInterval(() => {
        if (stamps.push(now()) < count) return
        clearInterval(interval)
        resolve(judge(stamps, new Array<number>(count).fill(1)))
      }, TICK / 1000)
    })
}

const timerContenders = (judge: Judge): Contender[] => {
  const inHandler = (info: SignalInfo) => Number(info.timestamp)
  const contenders: Contender[] = [
    {
      id: 'threadsafe',
      name: 'threadsafe, SignalTimer, in the handler',
      package: 'threadsafe',
      open: timerRunner(judge, inHandler),
    },
    {
      id: 'threadsafe-struck',
      name: "threadsafe, SignalTimer that interrupts the loop's thread, in the handler",
      package: 'threadsafe',
      open: timerRunner(judge, inHandler, 'loop'),
    },
    { id: 'threadsafe-loop', name: 'threadsafe, SignalTimer, in the loop', package: 'threadsafe', open: timerRunner(judge, now) },
    { id: 'setInterval', name: 'setInterval', open: () => intervalRunner(judge) },
  ]
  return contenders.map((contender) => (LINUX_ONLY ? { ...contender, cannot: LINUX_ONLY } : contender))
}

export const signals: readonly Case[] = [
  {
    id: 'signal-handler-to-loop',
    title: 'Signal handler to an event loop that awaits, from the time in the handler',
    topology: 'signal',
    kind: 'latency',
    unit: 'us',
    items: SIGNALS,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, attachSignal, await queue.get()',
        package: 'threadsafe',
        open: latencyRunner('handler', byQueue),
      },
      { id: 'uv-async', name: 'bare uv_async_send in a handler', native: true, open: latencyRunner('handler', byAsync) },
      { id: 'process.on', name: 'process.on', cannot: 'it does not tell when the handler ran' },
    ],
    goals: [
      { text: 'signal handler to awaiting loop, p50: <= 1.5 x a bare uv_async_send', against: 'uv-async', atMost: 1.5 },
      { text: 'signal handler to awaiting loop, p99: <= 3 x a bare uv_async_send', against: 'uv-async', percentile: 'p99', atMost: 3 },
    ],
  },
  {
    id: 'signal-sent-to-loop',
    title: 'Signal to an event loop that awaits, from the time it was sent',
    topology: 'signal',
    kind: 'latency',
    unit: 'us',
    items: SIGNALS,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, attachSignal, await queue.get()',
        package: 'threadsafe',
        open: latencyRunner('sender', byQueue),
      },
      {
        id: 'threadsafe-event',
        name: 'threadsafe, attachSignal, await event.wait()',
        package: 'threadsafe',
        open: latencyRunner('sender', byEvent),
      },
      { id: 'uv-async', name: 'bare uv_async_send in a handler', native: true, open: latencyRunner('sender', byAsync) },
      { id: 'process.on', name: 'process.on', open: latencyRunner('sender', byProcess) },
    ],
  },
  {
    id: 'signal-burst',
    title: 'Signals that are merged or lost, of 10,000 that a busy loop gets',
    topology: 'signal',
    kind: 'size',
    unit: '%',
    items: 10_000,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, attachSignal',
        package: 'threadsafe',
        open: burstRunner(() => {
          const queue = signalQueue(16_384)
          attachSignal(SIGNAL, queue)
          let count = 0
          void (async () => {
            for await (const info of queue) count += info.signo > 0 ? 1 : 0
          })()
          return { received: () => count }
        }),
      },
      {
        id: 'process.on',
        name: 'process.on',
        open: burstRunner(() => {
          let count = 0
          process.on(SIGNAL, () => count++)
          return { received: () => count }
        }),
      },
    ],
  },
  {
    id: 'timer-jitter',
    title: 'A timer of 1 ms: how far the time between two ticks is from that',
    topology: 'signal',
    kind: 'latency',
    unit: 'us',
    items: 200,
    contenders: timerContenders(jitter),
  },
  {
    id: 'timer-lateness',
    title: 'A timer of 1 ms: how long after it was due a tick comes',
    topology: 'signal',
    kind: 'latency',
    unit: 'us',
    items: 200,
    contenders: timerContenders(lateness),
  },
  {
    id: 'handler-put',
    title: 'The put in a signal handler',
    topology: 'signal',
    kind: 'rate',
    unit: 'ns',
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, the put of a record',
        package: 'threadsafe',
        native: true,
        open: nativeRunner('handler', 'put'),
      },
      {
        id: 'threadsafe-handler',
        name: 'threadsafe, all that the handler does',
        package: 'threadsafe',
        note: "with the record's time and finding the source; a raise() with it, less one with an empty handler",
        native: true,
        open: nativeRunner('handler', 'whole'),
      },
    ],
    goals: [{ text: "signal handler's put: <= 80 ns in the handler", against: null, atMost: 80 }],
  },
]
