/** A number goes there and back between two workers that block. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { A_CORE_EACH } from '../harness/affinity.js'
import type { Case, Contender } from '../harness/case.js'
import type { Roles } from '../harness/crew.js'
import { nativeRunner } from '../harness/native.js'
import type { End, Setup, Way } from '../peers/way.js'
import { wayOf } from '../peers/ways.js'
import { LAST, NANOSECONDS, numberOf, type Pair, pairRunner, SETTLING, wordOf, wordPair, type Words } from './round-trip.js'

const CAPACITY = 16
const SETUP: Setup = { producers: 1, consumers: 1, capacity: CAPACITY, payload: { kind: 'number' } }
const TRIPS = 2000

/** Both directions as one thread sees them. */
interface BlockingLine {
  put(value: number): void
  get(): number
}

/**
 * Blocking with postMessage: the message goes through the port, and the receiver sleeps at a
 * counter in shared memory.
 */
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

/** A word to sleep at and nothing else: the cost of blocking itself in JavaScript. */
function bareWait({ inbox, outbox }: Words): BlockingLine {
  const mine = new Int32Array(inbox)
  const theirs = new Int32Array(outbox)
  return {
    put(value) {
      Atomics.store(theirs, 0, wordOf(value))
      Atomics.notify(theirs, 0)
    },
    get() {
      // The notify for the previous number may arrive after the wait for this one has begun.
      do Atomics.wait(mine, 0, 0)
      while (Atomics.load(mine, 0) === 0)
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
}

/**
 * Each party has its own core. On one core, a blocked call that spins would keep its partner from
 * running until the scheduler separates the two.
 */
const PARTIES = { module: import.meta.url, roles: ['ping', 'echo'], placement: A_CORE_EACH } as const

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
  return { id, name, package: packageName, native, everywhere, open: pairRunner(PARTIES, { way: id }, ends) }
}

function portPair(): Pair {
  const { port1, port2 } = new MessageChannel()
  const [there, back] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)]
  return {
    ping: { data: { port: port1, posted: back, sent: there }, transfer: [port1] },
    echo: { data: { port: port2, posted: there, sent: back }, transfer: [port2] },
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
    everywhere: true,
    contenders: [
      byWay('threadsafe'),
      {
        id: 'postMessage',
        name: 'postMessage, Atomics.wait, receiveMessageOnPort',
        everywhere: true,
        open: pairRunner(PARTIES, { line: 'postMessage' }, portPair),
      },
      {
        id: 'receiveMessageOnPort',
        name: 'postMessage, receiveMessageOnPort polled',
        open: pairRunner(PARTIES, { line: 'polled' }, portPair),
      },
      byWay('sync-message-port'),
      { id: 'atomics-wait', name: 'Atomics.wait and notify alone', open: pairRunner(PARTIES, { line: 'atomics' }, wordPair) },
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
]
