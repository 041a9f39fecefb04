/** A read and a write of a record of 64 bytes, eight numbers, by one thread. */
import { record, SharedRecord, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { benchAddon } from '../harness/native.js'

interface Eight {
  a: number
  b: number
  c: number
  d: number
  e: number
  f: number
  g: number
  h: number
}

interface Eights {
  read(): Eight
  write(value: Eight): void
}

const TYPE = record({ a: 'float64', b: 'float64', c: 'float64', d: 'float64', e: 'float64', f: 'float64', g: 'float64', h: 'float64' })

function reader(open: () => Eights): () => Runner {
  return () => {
    const shared = open()
    shared.write({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 })
    return (items) => {
      let sum = 0
      const start = process.hrtime.bigint()
      for (let k = 0; k < items; k++) {
        const { a, d, h } = shared.read()
        sum += a + d + h
      }
      const nanoseconds = Number(process.hrtime.bigint() - start)
      if (sum !== 13 * items) throw new Error(`what was read sums up to ${sum}`)
      return nanoseconds / items
    }
  }
}

function writer(open: () => Eights): () => Runner {
  return () => {
    const shared = open()
    const value = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 }
    return (items) => {
      const start = process.hrtime.bigint()
      for (let k = 0; k < items; k++) {
        value.a = k
        shared.write(value)
      }
      const nanoseconds = Number(process.hrtime.bigint() - start)
      if (shared.read().a !== items - 1) throw new Error('the last write is not there')
      return nanoseconds / items
    }
  }
}

const objectOf = (from: Float64Array): Eight => ({
  a: from[0] as number,
  b: from[1] as number,
  c: from[2] as number,
  d: from[3] as number,
  e: from[4] as number,
  f: from[5] as number,
  g: from[6] as number,
  h: from[7] as number,
})

function fill(to: Float64Array, { a, b, c, d, e, f, g, h }: Eight): void {
  to[0] = a
  to[1] = b
  to[2] = c
  to[3] = d
  to[4] = e
  to[5] = f
  to[6] = g
  to[7] = h
}

/** A lock that spins and then waits, as one writes it by hand. */
function locked(): Eights {
  const memory = new SharedArrayBuffer(128)
  const lock = new Int32Array(memory, 0, 1)
  const fields = new Float64Array(memory, 64)
  const acquire = () => {
    while (Atomics.compareExchange(lock, 0, 0, 1) !== 0) Atomics.wait(lock, 0, 1)
  }
  const release = () => {
    Atomics.store(lock, 0, 0)
    Atomics.notify(lock, 0, 1)
  }
  return {
    read() {
      acquire()
      const value = objectOf(fields)
      release()
      return value
    },
    write(value) {
      acquire()
      fill(fields, value)
      release()
    },
  }
}

/** Copies under a mutex, as an addon would do it. */
function behindMutex(): Eights {
  const native = benchAddon().openRecord()
  const buffer = new Float64Array(8)
  return {
    read() {
      native.read(buffer)
      return objectOf(buffer)
    },
    write(value) {
      fill(buffer, value)
      native.write(buffer)
    },
  }
}

function pair(): Runner {
  const queue = new ThreadSafeQueue<number>(1024, { type: 'float64' })
  return (items) => {
    const start = process.hrtime.bigint()
    for (let k = 0; k < items; k++) {
      queue.tryPut(k)
      if (queue.tryGet() !== k) throw new Error('another item')
    }
    return Number(process.hrtime.bigint() - start) / items
  }
}

function contenders(runner: (open: () => Eights) => () => Runner): Contender[] {
  return [
    { id: 'threadsafe', name: 'threadsafe, SharedRecord', package: 'threadsafe', open: runner(() => new SharedRecord(TYPE)) },
    { id: 'js-lock', name: 'copying under an Atomics lock in JavaScript', open: runner(locked) },
    { id: 'mutex', name: 'copying under a mutex in C++, a Node-API call each', native: true, open: runner(behindMutex) },
    { id: 'float64-pair', name: 'a put and a get of a float64, for comparison', package: 'threadsafe', open: pair },
  ]
}

const common = { topology: 'one thread', kind: 'rate', unit: 'ns/item' } as const

export const records: readonly Case[] = [
  {
    id: 'record-read',
    title: 'One thread: read of a record of 64 bytes',
    ...common,
    contenders: contenders(reader),
    goals: [{ text: 'read of a 64-byte record: <= 60 ns where a float64 pair takes 35', against: 'float64-pair', atMost: 60 / 35 }],
  },
  {
    id: 'record-write',
    title: 'One thread: write of a record of 64 bytes',
    ...common,
    contenders: contenders(writer),
    goals: [{ text: 'write of a 64-byte record: <= 90 ns where a float64 pair takes 35', against: 'float64-pair', atMost: 90 / 35 }],
  },
]
