/** Blocks of 128 numbers, as an audio callback has them. */
import { RingBuffer } from 'ringbuf.js'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'
import { newStorage } from '../peers/ringbuf.js'
import { insist } from '../peers/way.js'

const BLOCK = 128
const CAPACITY = 64 * BLOCK
const BLOCKING = { block: true }

/**
 * `put` puts all of `block`. `get` gets into `block` or another array, and returns what has come,
 * at most a block. Both wait.
 */
interface BlockQueue {
  put(block: Float64Array): void
  get(): Float64Array
}

/** Gets `into` one array, as ringbuf.js does, or (`fresh`) into a new one for each block. */
function ours(queue: ThreadSafeQueue<number, Float64Array>, fresh: boolean): BlockQueue {
  const options = fresh ? BLOCKING : { ...BLOCKING, into: new Float64Array(BLOCK) }
  return {
    put: (block) => void queue.putManySync(block, BLOCKING),
    get: () => queue.getManySync(BLOCK, options) as Float64Array,
  }
}

/** Each block is one item. */
function ofArrays(queue: ThreadSafeQueue<Float64Array, unknown, Iterable<number>>): BlockQueue {
  const options = { ...BLOCKING, into: new Float64Array(BLOCK) }
  return {
    put: (block) => queue.putSync(block, BLOCKING),
    get: () => queue.getSync(options),
  }
}

function ringbuf(storage: SharedArrayBuffer): BlockQueue {
  const ring = new RingBuffer(storage, Float64Array)
  const block = new Float64Array(BLOCK)
  return {
    put(items) {
      let sent = ring.push(items)
      if (sent < BLOCK) insist(() => (sent += ring.push(items, BLOCK - sent, sent)) === BLOCK)
    },
    get() {
      let count = ring.pop(block)
      if (count === 0) insist(() => (count = ring.pop(block)) > 0)
      return count === BLOCK ? block : block.subarray(0, count)
    },
  }
}

const newQueue = () => new ThreadSafeQueue(CAPACITY, { type: 'float64' })
const newQueueOfArrays = () => new ThreadSafeQueue(CAPACITY / BLOCK, { type: `float64[${BLOCK}]` })

/**
 * Every element holds its place in the block, but the first holds the block's place in the stream.
 * The others are not rewritten for each block, as that cost is not the queue's.
 */
function newBlock(): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: BLOCK }, (_, k) => k)
}

function number<Block extends Float64Array>(block: Block, first: number): Block {
  block[0] = first
  return block
}

/**
 * Checks the ends of what has come, which may be part of a block, and returns the next place in the
 * stream.
 */
function checkBlock(block: Float64Array, first: number): number {
  const { length } = block
  if (block[0] !== expected(first) || block[length - 1] !== expected(first + length - 1)) {
    throw new Error(`got ${block[0]} to ${block[length - 1]} at ${first}`)
  }
  return first + length
}

function expected(place: number): number {
  return place % BLOCK || place
}

function onOneThread(queue: BlockQueue): Runner {
  const block = newBlock()
  return (items) => {
    const blocks = Math.ceil(items / BLOCK)
    const start = process.hrtime.bigint()
    for (let k = 0; k < blocks; k++) {
      queue.put(number(block, k * BLOCK))
      if (checkBlock(queue.get(), k * BLOCK) !== (k + 1) * BLOCK) throw new Error('got part of a block')
    }
    return Number(process.hrtime.bigint() - start) / (blocks * BLOCK)
  }
}

const open: Readonly<Record<string, (data: never) => BlockQueue>> = {
  threadsafe: (handle: QueueHandle<number, Float64Array>) => ours(ThreadSafeQueue.from(handle), false),
  'threadsafe-array': (handle: QueueHandle<Float64Array, unknown, Iterable<number>>) => ofArrays(ThreadSafeQueue.from(handle)),
  'threadsafe-fresh': (handle: QueueHandle<number, Float64Array>) => ours(ThreadSafeQueue.from(handle), true),
  ringbuf,
}

interface Job {
  readonly kind: string
  readonly data: unknown
}

export const roles: Roles = {
  producer({ kind, data }: Job) {
    const block = newBlock()
    if (kind === 'postMessage') return (items) => postBlocks(data as MessagePort, items)
    const queue = (open[kind] as (data: unknown) => BlockQueue)(data)
    return (items) => {
      for (let first = 0; first < items; first += BLOCK) queue.put(number(block, first))
    }
  },
  consumer({ kind, data }: Job) {
    if (kind === 'postMessage') return blockReceiver(data as MessagePort)
    const queue = (open[kind] as (data: unknown) => BlockQueue)(data)
    return (items) => {
      for (let next = 0; next < items;) next = checkBlock(queue.get(), next)
    }
  },
}

function postBlocks(port: MessagePort, items: number): void {
  const pattern = newBlock()
  for (let first = 0; first < items; first += BLOCK) {
    const block = number(pattern.slice(), first)
    port.postMessage(block, [block.buffer])
  }
}

function blockReceiver(port: MessagePort): (items: number) => Promise<void> {
  return (items) =>
    new Promise((resolve) => {
      let next = 0
      port.on('message', function onBlock(block: Float64Array) {
        next = checkBlock(block, next)
        if (next < items) return
        port.off('message', onBlock)
        resolve()
      })
    })
}

function between(kind: string, ends: () => [producer: unknown, consumer: unknown]): () => Runner {
  return () => {
    const [producer, consumer] = ends()
    const module = import.meta.url
    const post = (role: string, data: unknown) => ({
      module,
      role,
      data: { kind, data },
      transfer: kind === 'postMessage' ? [data as MessagePort] : [],
    })
    const crew = new Crew([post('consumer', consumer), post('producer', producer)])
    return async (items) => {
      const whole = Math.ceil(items / BLOCK) * BLOCK
      const { nanoseconds } = await crew.run(whole)
      return nanoseconds / whole
    }
  }
}

const same = (data: unknown): [unknown, unknown] => [data, data]

const OURS = { id: 'threadsafe', name: 'threadsafe, putManySync and getManySync into an array', package: 'threadsafe' }
const ARRAY = { id: 'threadsafe-array', name: `threadsafe, 'float64[${BLOCK}]', putSync and getSync into an array`, package: 'threadsafe' }
const FRESH = { id: 'threadsafe-fresh', name: 'threadsafe, getManySync gives a new array', package: 'threadsafe' }
const RINGBUF = { id: 'ringbuf', name: 'ringbuf.js, push and pop', package: 'ringbuf.js' }
const ONE_BY_ONE: Contender = { id: 'threadsafe-single', name: 'threadsafe, tryPut and tryGet, item by item', package: 'threadsafe' }

const ARRAY_GOAL = { of: 'threadsafe-array', against: 'ringbuf', atMost: 1 / 1.3 }

export const blocks: readonly Case[] = [
  {
    id: 'blocks-one-thread',
    title: 'One thread: blocks of 128 float64',
    topology: 'blocks',
    kind: 'rate',
    unit: 'ns/element',
    contenders: [
      { ...OURS, open: () => onOneThread(ours(newQueue(), false)) },
      { ...ARRAY, open: () => onOneThread(ofArrays(newQueueOfArrays())) },
      { ...FRESH, open: () => onOneThread(ours(newQueue(), true)) },
      { ...RINGBUF, open: () => onOneThread(ringbuf(newStorage(CAPACITY))) },
      { ...ONE_BY_ONE, open: () => onOneThread(oneByOne(newQueue())) },
    ],
    goals: [{ text: "'float64[128]' with into, on one thread: >= 1.3 x faster than ringbuf.js", ...ARRAY_GOAL }],
  },
  {
    id: 'blocks-one-to-one',
    title: '1 producer, 1 consumer: blocks of 128 float64',
    topology: 'blocks',
    kind: 'rate',
    unit: 'ns/element',
    contenders: [
      { ...OURS, open: between('threadsafe', () => same(newQueue().handle)) },
      { ...ARRAY, open: between('threadsafe-array', () => same(newQueueOfArrays().handle)) },
      { ...FRESH, open: between('threadsafe-fresh', () => same(newQueue().handle)) },
      { ...RINGBUF, open: between('ringbuf', () => same(newStorage(CAPACITY))) },
      {
        id: 'postMessage',
        name: 'postMessage with transfer',
        note: 'unbounded; each block is a new buffer',
        open: between('postMessage', () => {
          const { port1, port2 } = new MessageChannel()
          return [port1, port2]
        }),
      },
    ],
    goals: [
      { text: "'float64[128]' with into, between threads: >= 1.3 x faster than ringbuf.js", ...ARRAY_GOAL },
      { text: 'blocks of 128 float64, between threads: >= 0.8 x as fast as ringbuf.js', against: 'ringbuf', atMost: 1 / 0.8 },
    ],
  },
]

function oneByOne(queue: ThreadSafeQueue<number, Float64Array>): BlockQueue {
  const block = new Float64Array(BLOCK)
  return {
    put(items) {
      for (let k = 0; k < BLOCK; k++) queue.tryPut(items[k] as number)
    },
    get() {
      for (let k = 0; k < BLOCK; k++) block[k] = queue.tryGet() as number
      return block
    },
  }
}
