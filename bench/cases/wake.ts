/**
 * The time from a call in another thread until the waiting event loop runs JavaScript. The two
 * threads share a core or have one each.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type EventHandle, type QueueHandle, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { A_CORE_EACH, bindMain, type Placement, SHARING_A_CORE } from '../harness/affinity.js'
import { type Case, type Contender, type Runner, Unavailable } from '../harness/case.js'
import { now, sleep, threadsShareClock } from '../harness/clock.js'
import { Crew, type Roles } from '../harness/crew.js'
import { benchAddon } from '../harness/native.js'
import { MULTITHREADING, oneWorkerOn } from '../peers/multithreading.js'

const WAKES = 300
/** The pause is long enough for the loop to be asleep again. */
const PAUSE = 0.3

/** Shared by both threads: when the waker called, and how many wakes have been seen. */
interface Shared {
  readonly stamp: SharedArrayBuffer
  readonly seen: SharedArrayBuffer
}

const newShared = (): Shared => ({ stamp: new SharedArrayBuffer(8), seen: new SharedArrayBuffer(4) })

/** Wakes the loop again and again, each time once the last wake has been seen. */
function wakeOften({ stamp, seen }: Shared, wakes: number, wake: (k: number) => void): void {
  const stamps = new Float64Array(stamp)
  const count = new Int32Array(seen)
  const first = Atomics.load(count, 0)
  for (let k = 0; k < wakes; k++) {
    sleep(PAUSE)
    stamps[0] = now()
    wake(k)
    Atomics.wait(count, 0, first + k)
  }
}

/** The side that is woken. */
class Listener {
  readonly #stamps: Float64Array
  readonly #seen: Int32Array
  #latencies: number[] = []

  constructor({ stamp, seen }: Shared) {
    this.#stamps = new Float64Array(stamp)
    this.#seen = new Int32Array(seen)
  }

  /** Called by the first JavaScript that runs after a wake. */
  readonly woken = (): void => {
    this.#latencies.push(now() - (this.#stamps[0] as number))
    Atomics.add(this.#seen, 0, 1)
    Atomics.notify(this.#seen, 0)
  }

  take(): number[] {
    const latencies = this.#latencies
    this.#latencies = []
    return latencies
  }
}

interface Job {
  readonly kind: string
  readonly data: unknown
  readonly shared: Shared
}

/** Each makes, from `data`, a function that wakes the loop. */
const wakers: Readonly<Record<string, (data: never) => (k: number) => void>> = {
  queue(handle: QueueHandle<number>) {
    const queue = ThreadSafeQueue.from(handle)
    return (k) => queue.putSync(k)
  },
  event(handle: EventHandle) {
    const event = ThreadSafeEvent.from(handle)
    return () => event.set()
  },
  port: (port: MessagePort) => (k) => port.postMessage(k),
  async: (address: number) => {
    const addon = benchAddon()
    return () => addon.sendAsync(address)
  },
  word(memory: SharedArrayBuffer) {
    const word = new Int32Array(memory)
    return () => {
      Atomics.add(word, 0, 1)
      Atomics.notify(word, 0)
    }
  },
}

export const roles: Roles = {
  waker({ kind, data, shared }: Job) {
    const wake = (wakers[kind] as (data: unknown) => (k: number) => void)(data)
    return (wakes) => wakeOften(shared, wakes, wake)
  },
}

/** The waker's data, and how this loop waits for that many wakes. Callbacks need no `wait`. */
type Prepared = {
  readonly data: unknown
  readonly transfer?: readonly MessagePort[]
  wait?(wakes: number, woken: () => void): Promise<void>
}

/** The main thread's loop is woken. It runs on the first core of the placement. */
function wakeRunner(kind: string, placement: Placement, prepare: (woken: () => void) => Prepared): () => Runner {
  return () => {
    if (!threadsShareClock) throw new Unavailable('each thread has a clock of its own there')
    const shared = newShared()
    const listener = new Listener(shared)
    const { data, transfer, wait } = prepare(listener.woken)
    const crew = new Crew([{ module: import.meta.url, role: 'waker', data: { kind, data, shared }, transfer, core: placement[1] }])
    bindMain(placement[0])
    return async (wakes) => {
      await Promise.all([crew.run(wakes), wait?.(wakes, listener.woken)])
      return listener.take()
    }
  }
}

const numberQueue = () => new ThreadSafeQueue<number>(16, { type: 'float64' })

async function multithreadingWake(placement: Placement): Promise<Runner> {
  const { spawn, move, channel } = await oneWorkerOn(placement[1])
  bindMain(placement[0])
  const [sender, receiver] = channel<number>(16)
  return async (wakes) => {
    const task = spawn(move(sender.clone(), wakes, PAUSE), (theirs, count, pause) => {
      const idle = new Int32Array(new SharedArrayBuffer(4))
      for (let k = 0; k < count; k++) {
        // The loop can't report that it saw the last wake, so this pause must be long enough.
        Atomics.wait(idle, 0, 0, 4 * pause)
        theirs.blockingSend(Number(process.hrtime.bigint()))
      }
    })
    const latencies: number[] = []
    for (let k = 0; k < wakes; k++) {
      const result = await receiver.recv()
      if (!result.ok) throw result.error
      latencies.push(now() - result.value)
    }
    await task.join()
    return latencies
  }
}

const contenders = (placement: Placement): Contender[] => [
  {
    id: 'threadsafe',
    name: 'threadsafe, await queue.get()',
    package: 'threadsafe',
    everywhere: true,
    open: wakeRunner('queue', placement, () => {
      const queue = numberQueue()
      const wait = async (wakes: number, woken: () => void) => {
        for (let k = 0; k < wakes; k++) {
          await queue.get()
          woken()
        }
      }
      return { data: queue.handle, wait }
    }),
  },
  {
    id: 'threadsafe-event',
    name: 'threadsafe, await event.wait()',
    package: 'threadsafe',
    open: wakeRunner('event', placement, () => {
      const event = new ThreadSafeEvent()
      const wait = async (wakes: number, woken: () => void) => {
        for (let k = 0; k < wakes; k++) {
          await event.wait()
          event.clear()
          woken()
        }
      }
      return { data: event.handle, wait }
    }),
  },
  {
    id: 'uv-async',
    name: 'bare uv_async_send, by Node-API',
    native: true,
    open: wakeRunner('async', placement, (woken) => ({ data: benchAddon().openAsync(woken) })),
  },
  {
    id: 'postMessage',
    name: "postMessage, on('message')",
    everywhere: true,
    open: wakeRunner('port', placement, (woken) => {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', woken)
      return { data: port2, transfer: [port2] }
    }),
  },
  {
    id: 'waitAsync',
    name: 'Atomics.waitAsync and notify',
    open: wakeRunner('word', placement, () => {
      const memory = new SharedArrayBuffer(4)
      const word = new Int32Array(memory)
      const { waitAsync } = Atomics as unknown as { waitAsync(words: Int32Array, index: number, value: number): { value: unknown } }
      let seen = 0
      const wait = async (wakes: number, woken: () => void) => {
        for (let k = 0; k < wakes; k++) {
          await waitAsync(word, 0, seen).value
          seen++
          woken()
        }
      }
      return { data: memory, wait }
    }),
  },
  { ...MULTITHREADING, name: 'multithreading, await recv()', open: () => multithreadingWake(placement) },
]

function wakes(id: string, placement: Placement, where: string): Case {
  return {
    id,
    title: `Another thread wakes an event loop that awaits, ${where}`,
    topology: 'wake',
    kind: 'latency',
    unit: 'us',
    items: WAKES,
    contenders: contenders(placement),
    goals: [
      { text: `other thread to awaiting loop, ${where}, p50: <= 1.25 x a bare uv_async_send`, against: 'uv-async', atMost: 1.25 },
      { text: `other thread to awaiting loop, ${where}, p50: faster than postMessage`, against: 'postMessage', atMost: 1 },
    ],
  }
}

export const wake: readonly Case[] = [
  wakes('wake-loop-two-cores', A_CORE_EACH, 'a core each'),
  wakes('wake-loop-one-core', SHARING_A_CORE, 'on one core'),
]
