/** A put and a get of one number by one thread: the cost of the calls, without any waiting. */
import { ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { nativeRunner } from '../harness/native.js'
import { SharedRing, SingleRing } from '../peers/js-rings.js'
import { loadMultithreading, MULTITHREADING } from '../peers/multithreading.js'
import { newNodeApiStorage, nodeApiRing } from '../peers/node-api.js'
import { newStorage, type NumberRing, ringbufOver } from '../peers/ringbuf.js'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const CAPACITY = 1024

function alternating(queues: readonly NumberRing[]): Runner {
  const one = queues[0] as NumberRing
  const pair = (queue: NumberRing, k: number) => {
    if (!queue.tryPut(k)) throw new Error('full')
    return queue.tryGet() as number
  }
  return (items) => {
    let sum = 0
    const start = process.hrtime.bigint()
    if (queues.length === 1) {
      for (let k = 0; k < items; k++) sum += pair(one, k)
    } else {
      for (let k = 0, next = 0; k < items; k++, next = next + 1 === queues.length ? 0 : next + 1) sum += pair(queues[next] as NumberRing, k)
    }
    const nanoseconds = Number(process.hrtime.bigint() - start)
    if (sum !== (items * (items - 1)) / 2) throw new Error(`the items that came out sum up to ${sum}`)
    return nanoseconds / items
  }
}

function rings(queues: number, make: () => NumberRing): () => Runner {
  return () => alternating(Array.from({ length: queues }, make))
}

const newQueue = () => new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' })

function contenders(queues: number): Contender[] {
  return [
    { id: 'threadsafe', name: 'threadsafe, tryPut and tryGet', package: 'threadsafe', everywhere: true, open: rings(queues, newQueue) },
    {
      id: 'ringbuf',
      name: 'ringbuf.js, push and pop',
      package: 'ringbuf.js',
      open: rings(queues, () => ringbufOver(newStorage(CAPACITY))),
    },
    {
      id: 'js-spsc',
      name: 'hand-written JS ring, single-producer',
      open: rings(queues, () => new SingleRing(SingleRing.storage(CAPACITY))),
    },
    {
      id: 'js-mpmc',
      name: 'hand-written JS ring, multi-producer',
      open: rings(queues, () => new SharedRing(SharedRing.storage(CAPACITY))),
    },
    {
      id: 'node-api',
      name: 'C++ ring, a Node-API call each',
      native: true,
      open: rings(queues, () => nodeApiRing(newNodeApiStorage(CAPACITY))),
    },
  ]
}

/** Contenders that are not rings, or not JavaScript. */
const others: Contender[] = [
  {
    id: 'postMessage',
    name: 'postMessage and receiveMessageOnPort',
    everywhere: true,
    open() {
      const { port1, port2 } = new MessageChannel()
      return alternating([
        {
          tryPut(value) {
            port1.postMessage(value)
            return true
          },
          tryGet: () => (receiveMessageOnPort(port2) as { message: number } | undefined)?.message,
        },
      ])
    },
  },
  {
    ...MULTITHREADING,
    note: 'blockingSend and blockingRecv',
    async open() {
      const [sender, receiver] = (await loadMultithreading()).channel<number>(CAPACITY)
      return alternating([
        {
          tryPut: (value) => sender.blockingSend(value).ok,
          tryGet() {
            const result = receiver.blockingRecv()
            return result.ok ? result.value : undefined
          },
        },
      ])
    },
  },
  { id: 'cpp-core', name: 'our core in C++', native: true, open: nativeRunner('one-thread') },
]

function manyQueues(queues: number, goals: Case['goals'] = []): Case {
  return {
    id: `many-queues-${queues}`,
    title: `One thread, put and get of a float64, ${queues === 1 ? 'one queue' : `${queues} queues alternating`}`,
    topology: 'many queues',
    kind: 'rate',
    unit: 'ns/item',
    series: 'many queues',
    parameter: { name: 'queues', value: queues },
    contenders: contenders(queues),
    goals,
  }
}

export const oneThread: readonly Case[] = [
  {
    id: 'one-thread',
    title: 'One thread: put and get of a float64, one queue',
    topology: 'one thread',
    kind: 'rate',
    unit: 'ns/item',
    everywhere: true,
    contenders: [...contenders(1), ...others],
    goals: [
      { text: 'float64, put and get on one thread: <= 35 ns', against: null, atMost: 35 },
      { text: 'float64, put and get on one thread: >= 4 x faster than ringbuf.js', against: 'ringbuf', atMost: 1 / 4 },
      { text: 'float64, put and get on one thread: >= 2.5 x faster than a Node-API call each', against: 'node-api', atMost: 1 / 2.5 },
    ],
  },
  manyQueues(1),
  manyQueues(8, [{ text: 'the same, 8 queues alternating: >= 2 x faster than ringbuf.js', against: 'ringbuf', atMost: 1 / 2 }]),
  manyQueues(64),
]
