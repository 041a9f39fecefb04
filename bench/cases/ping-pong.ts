/** A number there and back: two workers that block, and two event loops. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'
import { nativeRunner } from '../harness/native.js'
import { loadMultithreading, MULTITHREADING } from '../peers/multithreading.js'
import type { End, Setup, Way } from '../peers/way.js'
import { wayOf } from '../peers/ways.js'

const CAPACITY = 16
const SETUP: Setup = { producers: 1, consumers: 1, capacity: CAPACITY, payload: { kind: 'number' } }
const TRIPS = 2000
const SLOW_TRIPS = 600
const NANOSECONDS = 1e6
/**
 * How long the blocked ones pass a turn before it counts, in milliseconds: two threads that have just been woken often share a core, until the
 * scheduler sets them apart.
 */
const SETTLING = 100
/** The turn that ends a round. */
const LAST = -1

/** Both directions as one thread sees them. */
interface BlockingLine {
  put(value: number): void
  get(): number
}

/** postMessage as one has to use it to block: the message, and a counter in shared memory to sleep at. */
function postAndWait({ port, posted, sent }: { port: MessagePort; posted: SharedArrayBuffer; sent: SharedArrayBuffer }): BlockingLine {
  const arrived = new Int32Array(posted)
  const left = new Int32Array(sent)
  return {
    put(value) {
      port.postMessage(value)
      Atomics.add(left, 0, 1)
      Atomics.notify(left, 0)
    },
    get() {
      Atomics.wait(arrived, 0, 0)
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: number } | undefined
        if (received) {
          Atomics.sub(arrived, 0, 1)
          return received.message
        }
      }
    },
  }
}

function postAndPoll({ port }: { port: MessagePort }): BlockingLine {
  return {
    put: (value) => port.postMessage(value),
    get() {
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: number } | undefined
        if (received) return received.message
      }
    },
  }
}

/** What the words below hold for a number, as 0 is for none. */
const wordOf = (value: number): number => value + 1 - LAST
const numberOf = (word: number): number => word - 1 + LAST

/** Nothing but a word to sleep at: what blocking costs in JavaScript by itself. */
function bareWait({ inbox, outbox }: { inbox: SharedArrayBuffer; outbox: SharedArrayBuffer }): BlockingLine {
  const mine = new Int32Array(inbox)
  const theirs = new Int32Array(outbox)
  return {
    put(value) {
      Atomics.store(theirs, 0, wordOf(value))
      Atomics.notify(theirs, 0)
    },
    get() {
      Atomics.wait(mine, 0, 0)
      return numberOf(Atomics.exchange(mine, 0, 0))
    },
  }
}

const lines: Readonly<Record<string, (data: never) => BlockingLine>> = { postMessage: postAndWait, polled: postAndPoll, atomics: bareWait }

interface Job {
  /** A way with an end for each direction, or one of the lines above. */
  readonly way?: string
  readonly line?: string
  readonly data: unknown
}

function lineOf({ way, line, data }: Job): BlockingLine {
  if (line !== undefined) return (lines[line] as (data: unknown) => BlockingLine)(data)
  const { putter, getter } = wayOf(way as string)
  const { out, back } = data as { out: unknown; back: unknown }
  return { put: putter(out as never), get: (getter as NonNullable<Way['getter']>)(back as never) as () => number }
}

/** The two parties of one loop-to-loop contender. `send` may have to wait, `receive` does. */
interface LoopLine {
  send(value: number): unknown
  receive(): Promise<number>
}

function queueLine({ out, back }: { out: QueueHandle<number>; back: QueueHandle<number> }): LoopLine {
  const outbox = ThreadSafeQueue.from(out)
  const inbox = ThreadSafeQueue.from(back)
  return { send: (value) => outbox.put(value), receive: () => inbox.get() }
}

function waitAsyncLine({ inbox, outbox }: { inbox: SharedArrayBuffer; outbox: SharedArrayBuffer }): LoopLine {
  const mine = new Int32Array(inbox)
  const theirs = new Int32Array(outbox)
  // Its promise does not keep a thread alive.
  setInterval(() => undefined, 1e6)
  return {
    send(value) {
      Atomics.store(theirs, 0, wordOf(value))
      Atomics.notify(theirs, 0)
    },
    async receive() {
      const { waitAsync } = Atomics as unknown as { waitAsync(words: Int32Array, index: number, value: number): { value: unknown } }
      await waitAsync(mine, 0, 0).value
      return numberOf(Atomics.exchange(mine, 0, 0))
    },
  }
}

const loopLines: Readonly<Record<string, (data: never) => LoopLine>> = { threadsafe: queueLine, waitAsync: waitAsyncLine }

async function ping({ send, receive }: LoopLine, trips: number): Promise<number[]> {
  const latencies: number[] = []
  for (let k = 0; k < trips; k++) {
    const start = performance.now()
    await send(k)
    if ((await receive()) !== k) throw new Error('the wrong number came back')
    latencies.push((performance.now() - start) * NANOSECONDS)
  }
  return latencies
}

async function echo({ send, receive }: LoopLine, trips: number): Promise<void> {
  for (let k = 0; k < trips; k++) await send(await receive())
}

/** By events alone: promises would only slow it down. */
function pingByEvents(port: MessagePort, trips: number): Promise<number[]> {
  const latencies: number[] = []
  return new Promise((resolve, reject) => {
    let start = performance.now()
    port.on('message', function onMessage(value: number) {
      latencies.push((performance.now() - start) * NANOSECONDS)
      if (value !== latencies.length - 1) reject(new Error('the wrong number came back'))
      if (latencies.length < trips) {
        start = performance.now()
        port.postMessage(latencies.length)
      } else {
        port.off('message', onMessage)
        resolve(latencies)
      }
    })
    port.postMessage(0)
  })
}

function echoByEvents(port: MessagePort, trips: number): Promise<void> {
  return new Promise((resolve) => {
    let count = 0
    port.on('message', function onMessage(value: number) {
      port.postMessage(value)
      if (++count < trips) return
      port.off('message', onMessage)
      resolve()
    })
  })
}

export const roles: Roles = {
  ping(job: Job) {
    const { put, get } = lineOf(job)
    const trip = (k: number): number => {
      const start = performance.now()
      put(k)
      if (get() !== k) throw new Error('the wrong number came back')
      return performance.now() - start
    }
    return (trips) => {
      const settled = performance.now() + SETTLING
      while (performance.now() < settled) trip(0)
      const latencies = Array.from({ length: trips }, (_, k) => trip(k) * NANOSECONDS)
      trip(LAST)
      return latencies
    }
  },
  echo(job: Job) {
    const { put, get } = lineOf(job)
    return () => {
      for (let k = 0; k !== LAST; put(k)) k = get()
    }
  },
  loopPing({ line, data }: Job) {
    if (line === 'postMessage') return (trips) => pingByEvents(data as MessagePort, trips)
    const open = (loopLines[line as string] as (data: unknown) => LoopLine)(data)
    return (trips) => ping(open, trips)
  },
  loopEcho({ line, data }: Job) {
    if (line === 'postMessage') return (trips) => echoByEvents(data as MessagePort, trips)
    const open = (loopLines[line as string] as (data: unknown) => LoopLine)(data)
    return (trips) => echo(open, trips)
  },
}

interface Pair {
  readonly ping: End
  readonly echo: End
}

function pairRunner(roleNames: readonly [string, string], job: Omit<Job, 'data'>, ends: () => Pair): () => Runner {
  return () => {
    const { ping, echo } = ends()
    const module = import.meta.url
    const post = (role: string, { data, transfer }: End) => ({ module, role, data: { ...job, data }, transfer })
    const crew = new Crew([post(roleNames[0], ping), post(roleNames[1], echo)])
    return async (trips) => (await crew.run(trips)).results[0] as number[]
  }
}

const BLOCKING: readonly [string, string] = ['ping', 'echo']
const LOOPS: readonly [string, string] = ['loopPing', 'loopEcho']

/** One of the ways, opened once for each direction. */
function byWay(id: string): Contender {
  const { name, package: packageName, native, everywhere, open } = wayOf(id)
  const ends = (): Pair => {
    const there = open(SETUP)
    const back = open(SETUP)
    const join = (out: End | undefined, home: End | undefined): End => ({
      data: { out: out?.data, back: home?.data },
      transfer: [...(out?.transfer ?? []), ...(home?.transfer ?? [])],
    })
    return { ping: join(there.producers[0], back.consumers[0]), echo: join(back.producers[0], there.consumers[0]) }
  }
  return { id, name, package: packageName, native, everywhere, open: pairRunner(BLOCKING, { way: id }, ends) }
}

function portPair(): Pair {
  const { port1, port2 } = new MessageChannel()
  const [there, back] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)]
  return {
    ping: { data: { port: port1, posted: back, sent: there }, transfer: [port1] },
    echo: { data: { port: port2, posted: there, sent: back }, transfer: [port2] },
  }
}

function wordPair(): Pair {
  const [there, back] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)]
  return { ping: { data: { inbox: back, outbox: there } }, echo: { data: { inbox: there, outbox: back } } }
}

function queuePair(): Pair {
  const [out, back] = [1, 2].map(() => new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' }).handle)
  return { ping: { data: { out, back } }, echo: { data: { out: back, back: out } } }
}

function barePortPair(): Pair {
  const { port1, port2 } = new MessageChannel()
  return { ping: { data: port1, transfer: [port1] }, echo: { data: port2, transfer: [port2] } }
}

/** The other party is a task in the package's own pool. */
async function multithreadingLoops(): Promise<Runner> {
  const { spawn, move, channel, initRuntime } = await loadMultithreading()
  initRuntime({ maxWorkers: 1 })
  const [toThem, theirs] = channel<number>(CAPACITY)
  const [toUs, ours] = channel<number>(CAPACITY)
  return async (trips) => {
    const task = spawn(move(theirs.clone(), toUs.clone(), trips), async (receiver, sender, count) => {
      // Its waiting does not keep a thread alive.
      const alive = setInterval(() => undefined, 1000)
      for (let k = 0; k < count; k++) {
        const result = await receiver.recv()
        if (!result.ok) throw result.error
        await sender.send(result.value)
      }
      clearInterval(alive)
    })
    const line: LoopLine = {
      send: (value) => toThem.send(value),
      async receive() {
        const result = await ours.recv()
        if (!result.ok) throw result.error
        return result.value
      },
    }
    const latencies = await ping(line, trips)
    await task.join()
    return latencies
  }
}

export const pingPong: readonly Case[] = [
  {
    id: 'ping-pong-blocking',
    title: 'Ping-pong between two workers that block',
    topology: 'ping-pong',
    kind: 'latency',
    unit: 'us',
    items: TRIPS,
    contenders: [
      byWay('threadsafe'),
      {
        id: 'postMessage',
        name: 'postMessage, Atomics.wait, receiveMessageOnPort',
        everywhere: true,
        open: pairRunner(BLOCKING, { line: 'postMessage' }, portPair),
      },
      {
        id: 'receiveMessageOnPort',
        name: 'postMessage, receiveMessageOnPort polled',
        open: pairRunner(BLOCKING, { line: 'polled' }, portPair),
      },
      byWay('sync-message-port'),
      { id: 'atomics-wait', name: 'Atomics.wait and notify alone', open: pairRunner(BLOCKING, { line: 'atomics' }, wordPair) },
      byWay('ringbuf'),
      byWay('js-spsc'),
      byWay('node-api'),
      { id: 'cpp-spinning', name: 'our core between C++ threads that spin', native: true, open: nativeRunner('ping-pong', 'spinning') },
      { id: 'cpp-core', name: 'our core between C++ threads, spin then park', native: true, open: nativeRunner('ping-pong', 'core') },
      { id: 'cpp-parked', name: 'our core between C++ threads that park', native: true, open: nativeRunner('ping-pong', 'parked') },
      { id: 'cpp-mutex', name: 'C++ std::mutex and condition variables', native: true, open: nativeRunner('ping-pong', 'mutex') },
    ],
    goals: [
      { text: 'ping-pong, both blocking: >= 50 x faster than postMessage', against: 'postMessage', atMost: 1 / 50 },
      { text: 'ping-pong, both blocking: within 10 x of two C++ threads that spin', against: 'cpp-spinning', atMost: 10 },
    ],
  },
  {
    id: 'ping-pong-loops',
    title: 'Ping-pong between two event loops',
    topology: 'ping-pong',
    kind: 'latency',
    unit: 'us',
    items: SLOW_TRIPS,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, put and get',
        package: 'threadsafe',
        everywhere: true,
        open: pairRunner(LOOPS, { line: 'threadsafe' }, queuePair),
      },
      {
        id: 'postMessage',
        name: "postMessage, on('message')",
        everywhere: true,
        open: pairRunner(LOOPS, { line: 'postMessage' }, barePortPair),
      },
      { id: 'waitAsync', name: 'Atomics.waitAsync and notify alone', open: pairRunner(LOOPS, { line: 'waitAsync' }, wordPair) },
      { ...MULTITHREADING, name: 'multithreading, send and recv', open: multithreadingLoops },
    ],
    goals: [{ text: 'ping-pong, loop to loop: >= 1.1 x faster than postMessage', against: 'postMessage', atMost: 1 / 1.1 }],
  },
]
