/** A number goes there and back between two event loops, which share a core or have one each. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import { A_CORE_EACH, bindMain, type Placement, SHARING_A_CORE } from '../harness/affinity.js'
import type { Case, Runner } from '../harness/case.js'
import type { Roles } from '../harness/crew.js'
import { MULTITHREADING, oneWorkerOn } from '../peers/multithreading.js'
import { LAST, NANOSECONDS, numberOf, type Pair, pairRunner, SETTLING, wordOf, wordPair, type Words } from './round-trip.js'

const CAPACITY = 16
const TRIPS = 600

/** The two parties of one loop-to-loop contender. `send` may have to wait, `receive` does. */
interface Line {
  send(value: number): unknown
  receive(): Promise<number>
}

function queueLine({ out, back }: { out: QueueHandle<number>; back: QueueHandle<number> }): Line {
  const outbox = ThreadSafeQueue.from(out)
  const inbox = ThreadSafeQueue.from(back)
  return { send: (value) => outbox.put(value), receive: () => inbox.get() }
}

function waitAsyncLine({ inbox, outbox }: Words): Line {
  const mine = new Int32Array(inbox)
  const theirs = new Int32Array(outbox)
  // The promise of waitAsync() does not keep a thread alive.
  setInterval(() => undefined, 1e6)
  return {
    send(value) {
      Atomics.store(theirs, 0, wordOf(value))
      Atomics.notify(theirs, 0)
    },
    async receive() {
      const { waitAsync } = Atomics as unknown as { waitAsync(words: Int32Array, index: number, value: number): { value: unknown } }
      do await waitAsync(mine, 0, 0).value
      while (Atomics.load(mine, 0) === 0)
      return numberOf(Atomics.exchange(mine, 0, 0))
    },
  }
}

const lines: Readonly<Record<string, (data: never) => Line>> = { threadsafe: queueLine, waitAsync: waitAsyncLine }

async function ping({ send, receive }: Line, trips: number): Promise<number[]> {
  const trip = async (k: number): Promise<number> => {
    const start = performance.now()
    await send(k)
    if ((await receive()) !== k) throw new Error('the wrong number came back')
    return (performance.now() - start) * NANOSECONDS
  }
  const settled = performance.now() + SETTLING
  while (performance.now() < settled) await trip(0)
  const latencies: number[] = []
  for (let k = 0; k < trips; k++) latencies.push(await trip(k))
  await trip(LAST)
  return latencies
}

async function echo({ send, receive }: Line): Promise<void> {
  for (let k = 0; k !== LAST; await send(k)) k = await receive()
}

/** Uses events alone, as promises would only slow postMessage down. */
function pingByEvents(port: MessagePort, trips: number): Promise<number[]> {
  const latencies: number[] = []
  const settled = performance.now() + SETTLING
  return new Promise((resolve, reject) => {
    let sent = 0
    let counts = false
    let start = performance.now()
    port.on('message', function onMessage(value: number) {
      const now = performance.now()
      if (value !== sent) return reject(new Error('the wrong number came back'))
      if (value === LAST) {
        port.off('message', onMessage)
        return resolve(latencies)
      }
      if (counts) latencies.push((now - start) * NANOSECONDS)
      else counts = now >= settled
      sent = !counts ? 0 : latencies.length < trips ? latencies.length : LAST
      start = performance.now()
      port.postMessage(sent)
    })
    port.postMessage(sent)
  })
}

function echoByEvents(port: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    port.on('message', function onMessage(value: number) {
      port.postMessage(value)
      if (value !== LAST) return
      port.off('message', onMessage)
      resolve()
    })
  })
}

interface Job {
  readonly line: string
  readonly data: unknown
}

const lineOf = ({ line, data }: Job): Line => (lines[line] as (data: unknown) => Line)(data)

export const roles: Roles = {
  ping(job: Job) {
    const line = lineOf(job)
    return (trips) => ping(line, trips)
  },
  echo(job: Job) {
    const line = lineOf(job)
    return () => echo(line)
  },
  pingByEvents:
    ({ data }: Job) =>
    (trips) =>
      pingByEvents(data as MessagePort, trips),
  echoByEvents:
    ({ data }: Job) =>
    () =>
      echoByEvents(data as MessagePort),
}

function queuePair(): Pair {
  const [out, back] = [1, 2].map(() => new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' }).handle)
  return { ping: { data: { out, back } }, echo: { data: { out: back, back: out } } }
}

function portPair(): Pair {
  const { port1, port2 } = new MessageChannel()
  return { ping: { data: port1, transfer: [port1] }, echo: { data: port2, transfer: [port2] } }
}

/** This thread and one of the package's own pool. */
async function multithreadingLoops(placement: Placement): Promise<Runner> {
  const { spawn, move, channel } = await oneWorkerOn(placement[1])
  bindMain(placement[0])
  const [toThem, theirs] = channel<number>(CAPACITY)
  const [toUs, ours] = channel<number>(CAPACITY)
  return async (trips) => {
    const task = spawn(move(theirs.clone(), toUs.clone(), LAST), async (receiver, sender, last) => {
      // A pending recv() does not keep a thread alive.
      const alive = setInterval(() => undefined, 1000)
      for (let k = 0; k !== last; await sender.send(k)) {
        const result = await receiver.recv()
        if (!result.ok) throw result.error
        k = result.value
      }
      clearInterval(alive)
    })
    const line: Line = {
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

function loopToLoop(id: string, placement: Placement, where: string): Case {
  const module = import.meta.url
  const parties = { module, roles: ['ping', 'echo'], placement } as const
  const byEvents = { module, roles: ['pingByEvents', 'echoByEvents'], placement } as const
  return {
    id,
    title: `Ping-pong between two event loops, ${where}`,
    topology: 'ping-pong',
    kind: 'latency',
    unit: 'us',
    items: TRIPS,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, put and get',
        package: 'threadsafe',
        everywhere: true,
        open: pairRunner(parties, { line: 'threadsafe' }, queuePair),
      },
      { id: 'postMessage', name: "postMessage, on('message')", everywhere: true, open: pairRunner(byEvents, {}, portPair) },
      { id: 'waitAsync', name: 'Atomics.waitAsync and notify alone', open: pairRunner(parties, { line: 'waitAsync' }, wordPair) },
      { ...MULTITHREADING, name: 'multithreading, send and recv', open: () => multithreadingLoops(placement) },
    ],
    goals: [{ text: `ping-pong, loop to loop, ${where}: >= 1.1 x faster than postMessage`, against: 'postMessage', atMost: 1 / 1.1 }],
  }
}

export const pingPongLoops: readonly Case[] = [
  loopToLoop('ping-pong-loops-two-cores', A_CORE_EACH, 'a core each'),
  loopToLoop('ping-pong-loops-one-core', SHARING_A_CORE, 'on one core'),
]
