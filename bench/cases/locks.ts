/** Mutual exclusion: alone, and between two workers. */
import { Mutex } from 'async-mutex'
import { Lock, type LockHandle } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'

/** A lock as one writes it by hand: 0 is free, 1 held, 2 held while somebody waits. */
class AtomicsLock {
  readonly #word: Int32Array

  constructor(storage: SharedArrayBuffer) {
    this.#word = new Int32Array(storage)
  }

  acquire(): void {
    let seen = Atomics.compareExchange(this.#word, 0, 0, 1)
    if (seen === 0) return
    do {
      if (seen === 2 || Atomics.compareExchange(this.#word, 0, 1, 2) !== 0) Atomics.wait(this.#word, 0, 2)
      seen = Atomics.compareExchange(this.#word, 0, 0, 2)
    } while (seen !== 0)
  }

  release(): void {
    if (Atomics.exchange(this.#word, 0, 0) === 2) Atomics.notify(this.#word, 0, 1)
  }
}

function each(once: () => void): Runner {
  return (items) => {
    const start = process.hrtime.bigint()
    for (let k = 0; k < items; k++) once()
    return Number(process.hrtime.bigint() - start) / items
  }
}

function eachAwaited(once: () => Promise<unknown>): Runner {
  return async (items) => {
    const start = process.hrtime.bigint()
    for (let k = 0; k < items; k++) await once()
    return Number(process.hrtime.bigint() - start) / items
  }
}

const ASYNC_MUTEX = { id: 'async-mutex', name: 'async-mutex, acquire and release', package: 'async-mutex', note: 'within one thread only' }

const uncontended: Contender[] = [
  {
    id: 'threadsafe',
    name: 'threadsafe, await acquire() and release()',
    package: 'threadsafe',
    open() {
      const lock = new Lock()
      return async (items) => {
        const start = process.hrtime.bigint()
        for (let k = 0; k < items; k++) (await lock.acquire()).release()
        return Number(process.hrtime.bigint() - start) / items
      }
    },
  },
  {
    id: 'threadsafe-sync',
    name: 'threadsafe, acquireSync() and release()',
    package: 'threadsafe',
    open() {
      const lock = new Lock()
      return each(() => lock.acquireSync().release())
    },
  },
  {
    id: 'threadsafe-request',
    name: 'threadsafe, request()',
    package: 'threadsafe',
    open() {
      const lock = new Lock()
      return eachAwaited(() => lock.request(() => undefined))
    },
  },
  {
    ...ASYNC_MUTEX,
    open() {
      const mutex = new Mutex()
      return async (items) => {
        const start = process.hrtime.bigint()
        for (let k = 0; k < items; k++) (await mutex.acquire())()
        return Number(process.hrtime.bigint() - start) / items
      }
    },
  },
  {
    id: 'async-mutex-exclusive',
    name: 'async-mutex, runExclusive',
    package: 'async-mutex',
    note: 'within one thread only',
    open() {
      const mutex = new Mutex()
      return eachAwaited(() => mutex.runExclusive(() => undefined))
    },
  },
  {
    id: 'atomics',
    name: 'hand-written lock on Atomics',
    note: 'blocks, and is held for ever by a worker that is killed',
    open() {
      const lock = new AtomicsLock(new SharedArrayBuffer(4))
      return each(() => {
        lock.acquire()
        lock.release()
      })
    },
  },
]

interface Job {
  readonly kind: 'threadsafe' | 'atomics'
  readonly lock: unknown
  readonly counter: SharedArrayBuffer
}

export const roles: Roles = {
  worker({ kind, lock, counter }: Job) {
    const count = new Float64Array(counter)
    // The section takes about 100 ns, long enough for the other worker to arrive.
    const section = () => {
      for (let k = 0; k < 50; k++) (count[0] as number)++
    }
    if (kind === 'threadsafe') {
      const ours = Lock.from(lock as LockHandle)
      return (items) => {
        for (let k = 0; k < items; k++) {
          const held = ours.acquireSync()
          section()
          held.release()
        }
      }
    }
    const theirs = new AtomicsLock(lock as SharedArrayBuffer)
    return (items) => {
      for (let k = 0; k < items; k++) {
        theirs.acquire()
        section()
        theirs.release()
      }
    }
  },
}

const WORKERS = 2

function contended(kind: Job['kind'], make: () => unknown): () => Runner {
  return () => {
    const counter = new SharedArrayBuffer(8)
    const data: Job = { kind, lock: make(), counter }
    const crew = new Crew(Array.from({ length: WORKERS }, () => ({ module: import.meta.url, role: 'worker', data })))
    const count = new Float64Array(counter)
    return async (items) => {
      const whole = Math.ceil(items / WORKERS)
      const before = count[0] as number
      const { nanoseconds } = await crew.run(whole)
      if (count[0] !== before + 50 * WORKERS * whole) throw new Error('sections were not kept apart')
      return nanoseconds / (WORKERS * whole)
    }
  }
}

export const locks: readonly Case[] = [
  {
    id: 'lock-uncontended',
    title: 'A lock that nobody else wants: acquire and release',
    topology: 'shared',
    kind: 'rate',
    unit: 'ns/acquisition',
    contenders: uncontended,
    goals: [{ text: 'uncontended: >= 5 x faster than async-mutex', against: 'async-mutex', atMost: 1 / 5 }],
  },
  {
    id: 'lock-contended',
    title: 'A lock that two workers want all the time, held for 100 ns',
    topology: 'shared',
    kind: 'rate',
    unit: 'ns/acquisition',
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, acquireSync() and release()',
        package: 'threadsafe',
        open: contended('threadsafe', () => new Lock().handle),
      },
      { id: 'atomics', name: 'hand-written lock on Atomics', open: contended('atomics', () => new SharedArrayBuffer(4)) },
    ],
  },
]
