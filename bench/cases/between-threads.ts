/** Numbers pass from worker to worker, item by item. Each call blocks as long as it must. */
import type { Case, Contender } from '../harness/case.js'
import { nativeRunner } from '../harness/native.js'
import { multithreadingPassing } from '../peers/multithreading.js'
import { passing } from '../peers/passing.js'
import type { Setup } from '../peers/way.js'
import { wayOf } from '../peers/ways.js'

const CAPACITY = 1024

function numbers(producers: number, consumers: number, capacity = CAPACITY): Setup {
  return { producers, consumers, capacity, payload: { kind: 'number' } }
}

function inCpp({ producers, consumers, capacity }: Setup): Contender[] {
  const command = [producers, consumers, capacity]
  return [
    { id: 'cpp-core', name: 'our core between C++ threads', native: true, open: nativeRunner('pass', 'core', ...command) },
    { id: 'cpp-mutex', name: 'C++ std::mutex and condition variables', native: true, open: nativeRunner('pass', 'mutex', ...command) },
  ]
}

const EVERYONE = ['threadsafe', 'postMessage', 'ringbuf', 'js-spsc', 'js-mpmc', 'node-api', 'sync-message-port']
const BOUNDED = ['threadsafe', 'ringbuf', 'js-spsc', 'js-mpmc']

function contenders(ids: readonly string[], setup: Setup): Contender[] {
  return [...ids.map((id) => passing(wayOf(id), setup)), ...inCpp(setup)]
}

function depth(capacity: number): Case {
  const setup = numbers(1, 1, capacity)
  return {
    id: `capacity-${capacity}`,
    title: `1 producer, 1 consumer: float64 through a queue of ${capacity}`,
    topology: '1 to 1',
    kind: 'rate',
    unit: 'ns/item',
    series: 'queue depth',
    parameter: { name: 'capacity', value: capacity },
    contenders: contenders(BOUNDED, setup),
  }
}

function manyToMany(id: string, topology: Case['topology'], producers: number, consumers: number, parts: Partial<Case> = {}): Case {
  const setup = numbers(producers, consumers)
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return {
    id,
    title: `${plural(producers, 'producer')}, ${plural(consumers, 'consumer')}: float64, item by item`,
    topology,
    kind: 'rate',
    unit: 'ns/item',
    contenders: [...contenders(EVERYONE, setup), multithreadingPassing(setup)],
    ...parts,
  }
}

function threads(each: number, parts: Partial<Case> = {}): Case {
  return manyToMany(`threads-${each}-to-${each}`, each === 1 ? '1 to 1' : '4 to 4', each, each, {
    title: `${2 * each} threads, ${each} to ${each}: float64, item by item`,
    series: 'threads',
    parameter: { name: 'threads', value: 2 * each },
    ...parts,
  })
}

/** One of our producers and one consumer, measured in the same rounds as 4 to 4. */
const oursOneToOne: Contender = {
  ...passing(wayOf('threadsafe'), numbers(1, 1)),
  id: 'threadsafe-1-to-1',
  name: 'threadsafe, 1 to 1',
}

const fourToFour = numbers(4, 4)

export const betweenThreads: readonly Case[] = [
  manyToMany('one-to-one', '1 to 1', 1, 1, {
    everywhere: true,
    goals: [
      { text: '1 producer 1 consumer: >= 30 x faster than postMessage', against: 'postMessage', atMost: 1 / 30 },
      { text: '1 producer 1 consumer: >= 3 x faster than ringbuf.js', against: 'ringbuf', atMost: 1 / 3 },
      { text: '1 producer 1 consumer: not slower than a hand-written single-producer JS ring', against: 'js-spsc', atMost: 1 },
      { text: '1 producer 1 consumer: within 6 x of two C++ threads on our core', against: 'cpp-core', atMost: 6 },
    ],
  }),
  ...[16, 128, 1024, 16384].map(depth),
  manyToMany('four-to-one', '4 to 1', 4, 1),
  manyToMany('one-to-four', '1 to 4', 1, 4),
  threads(1, { contenders: contenders(['threadsafe', 'postMessage', 'js-mpmc', 'node-api'], numbers(1, 1)) }),
  threads(2, { contenders: contenders(['threadsafe', 'postMessage', 'js-mpmc', 'node-api'], numbers(2, 2)) }),
  threads(4, {
    contenders: [...contenders(EVERYONE, fourToFour), multithreadingPassing(fourToFour), oursOneToOne],
    goals: [{ text: '4 to 4: no collapse, an item within 2 x of 1 to 1', against: 'threadsafe-1-to-1', atMost: 2 }],
  }),
]
