/**
 * Records, locks, messages, buffers and contexts that the loop, workers and victims share. Also
 * measures how long wakes take.
 */
import { strict as assert } from 'node:assert'
import { fileURLToPath } from 'node:url'
import { BufferPool, Context, Lock, Message, record, SharedRecord, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type * as Jobs from '../fixtures/jobs.js'
import { until } from '../support.js'
import type { Role } from './roles.js'
import { enter } from './section.js'
import { clock, type Part, pause, PATIENCE, type Soak } from './soak.js'
import type { SharedHandles } from './worker.js'
import type { Workers } from './workers.js'

const BUFFERS = 16
const jobs = fileURLToPath(new URL('../fixtures/jobs.js', import.meta.url))

/** The objects that the workers share with the loop. */
export class SharedObjects {
  readonly lock = new Lock()
  readonly section = new Int32Array(new SharedArrayBuffer(12))
  readonly record = new SharedRecord(record({ steady: 'float64', victims: 'float64' }))
  readonly message = new Message<{ n: number; square: number }>()
  readonly pool = new BufferPool<Float64Array>(BUFFERS, 'float64[1024]')
  readonly tokens = new ThreadSafeQueue(BUFFERS, { type: 'uint32' })
  readonly ping = new ThreadSafeQueue(8, { type: 'float64' })
  readonly pong = new ThreadSafeQueue(8, { type: 'float64' })
  readonly event = new ThreadSafeEvent()
  readonly echo = new ThreadSafeEvent()

  handles(): SharedHandles {
    const { lock, section, record, message, pool, tokens, ping, pong, event, echo } = this
    return {
      lock: lock.handle,
      section,
      record: record.handle,
      message: message.handle as SharedHandles['message'],
      pool: pool.handle,
      tokens: tokens.handle,
      ping: ping.handle,
      pong: pong.handle,
      event: event.handle,
      echo: echo.handle,
    }
  }
}

/** Repeats the work until the soak ends, and notes the duration of each repetition. */
async function repeat(soak: Soak, name: string, rest: number, work: () => unknown): Promise<void> {
  while (soak.running) {
    const start = clock()
    await work()
    soak.latency(name, clock() - start)
    soak.count(name)
    if (rest > 0) await pause(soak.chance() * rest)
  }
}

/** Runs workers in those roles until the work of this thread is done. */
async function beside(workers: Workers, roles: readonly Role[], work: () => Promise<unknown>): Promise<void> {
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const ends = roles.map((role) => workers.steady({ role, stop }))
  await work()
  Atomics.store(stop, 0, 1)
  await Promise.all(ends)
}

export function sharing({ lock, section, record: target, message }: SharedObjects, workers: Workers): Part {
  const request = { signal: AbortSignal.timeout(2 ** 31 - 1) }
  return {
    name: 'sharing',
    async run(soak) {
      await beside(workers, ['sharer'], () =>
        Promise.all([
          repeat(soak, 'lock: acquire()', 2, async () => {
            using held = await lock.acquire({ timeout: PATIENCE })
            enter(held, section)
          }),
          repeat(soak, 'lock: request()', 2, () => lock.request(request, (held) => enter(held, section))),
          readRecord(soak, target),
          readMessages(soak, message),
        ]),
      )
      soak.count('lock: holders that died in a section', section[2])
      // Victims may still hold the lock. Each releases it when it ends.
      using held = await lock.acquire({ timeout: PATIENCE })
      enter(held, section)
    },
  }
}

async function readRecord(soak: Soak, target: SharedObjects['record']): Promise<void> {
  let last = { version: 0, steady: 0, victims: 0 }
  await repeat(soak, 'record: wait() and read()', 1, async () => {
    await target.wait(last.version, { timeout: PATIENCE })
    const { version, value } = target.readWithVersion()
    const grows = version > last.version && value.steady >= last.steady && value.victims >= last.victims
    // Each update adds one to both a count and the version.
    const isWhole = version === value.steady + value.victims
    soak.check(grows && isWhole, 'no merge is lost, versions grow', { last, version, value })
    last = { version, ...value }
  })
}

async function readMessages(soak: Soak, message: SharedObjects['message']): Promise<void> {
  let last = 0
  for await (const { n, square } of message) {
    soak.check(n > last && square === n * n, 'messages grow', { last, n, square })
    last = n
    soak.count('messages got')
    if (!soak.running) break
  }
}

export function buffers({ pool, tokens }: SharedObjects, workers: Workers): Part {
  return {
    name: 'buffers',
    async run(soak) {
      let last = 0
      const take = (token: number): void => {
        using lease = pool.take(token)
        const { data } = lease
        const [first, middle, end] = [data[0] as number, data[512], data[data.length - 1]]
        soak.check(first > last && middle === first && end === first, 'a buffer is its lender’s alone', { last, first, middle, end })
        last = first
      }
      await beside(workers, ['lender'], async () => {
        while (soak.running) {
          take(await tokens.get({ timeout: PATIENCE }))
          soak.count('buffers passed')
          if (soak.chance() < 0.1) await pause(1)
        }
      })
      await until(
        'all buffers',
        () => {
          for (let token = tokens.tryGet(); token !== undefined; token = tokens.tryGet()) take(token)
          return pool.stats().free === BUFFERS
        },
        PATIENCE,
      )
    },
  }
}

/** Wakes a blocked thread and this loop, with nothing in the way but the load. */
export function wakes({ ping, pong, event, echo }: SharedObjects, workers: Workers): Part {
  return {
    name: 'wakes',
    async run(soak) {
      let n = 0
      await beside(workers, ['echo', 'echoEvent'], () =>
        Promise.all([
          repeat(soak, 'queue: to a blocked thread and back', 5, async () => {
            ping.putSync(++n)
            assert.equal(await pong.get({ timeout: PATIENCE }), n)
          }),
          repeat(soak, 'event: to a blocked thread and back', 5, async () => {
            event.set()
            await echo.wait({ timeout: PATIENCE })
            echo.clear()
          }),
        ]),
      )
    },
  }
}

/** Jobs that return, throw, are aborted, and kill their worker. */
export function contexts(): Part {
  return {
    name: 'contexts',
    async run(soak) {
      const context = new Context<typeof Jobs>(jobs, { qsize: 8 })
      let n = 0
      const job = async (): Promise<void> => {
        const a = ++n
        const sum = await context.assign('add', a, 1)
        soak.check(sum === a + 1, 'a job has its own result', { a, sum })
      }
      const code = (promise: Promise<unknown>): Promise<unknown> =>
        promise.then(
          () => 'resolved',
          (error: unknown) => (error as { code?: unknown; name: string }).code ?? (error as Error).name,
        )
      await Promise.all([
        repeat(soak, 'context: a job', 2, job),
        repeat(soak, 'context: jobs that fail', 20, async () => {
          const controller = new AbortController()
          const outcomes = Promise.all([
            code(context.run('later', [1, 'x'], { signal: controller.signal })),
            code(context.assign('fail', 'own')),
            soak.chance() < 0.02 ? code(context.assign('exit', 0)) : 'ERR_CONTEXT_CRASHED',
          ])
          controller.abort()
          const [aborted, failed, crashed] = await outcomes
          const right = aborted === 20 && failed === 'E_OWN' && crashed === 'ERR_CONTEXT_CRASHED'
          soak.check(right, 'a job fails by itself', { aborted, failed, crashed })
        }),
      ])
      await context.close({ timeout: PATIENCE })
    },
  }
}
