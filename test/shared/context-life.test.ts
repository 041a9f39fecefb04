/**
 * The cancelling of a Context's jobs, and the ends of its worker: by itself, by a crash, with the
 * process.
 */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, promisify } from 'node:util'
import { Context, ThreadSafeError } from '../../lib/index.js'
import { collectGarbage } from '../fixtures/garbage.js'
import type * as fixture from '../fixtures/jobs.js'
import { type Outcome, random, rejection, runProcess, loopIterations, until, within } from '../support.js'

type Jobs = typeof fixture
const JOBS = new URL('../fixtures/jobs.js', import.meta.url)
/** Must equal `WORD` of the fixture, which would run if it were imported here. */
const WORD = { loads: 0, calls: 1, exits: 2, gate: 3 }

class Counted extends Context<Jobs> {
  readonly counters: Int32Array

  constructor(qsize?: number) {
    const counters = new Int32Array(new SharedArrayBuffer(16))
    super(JOBS, { workerData: { counters }, qsize })
    this.counters = counters
  }

  get loads(): number {
    return Atomics.load(this.counters, WORD.loads)
  }

  get calls(): number {
    return Atomics.load(this.counters, WORD.calls)
  }

  get exits(): number {
    return Atomics.load(this.counters, WORD.exits)
  }

  /** Lets `blocked()` return. */
  openGate(): void {
    Atomics.store(this.counters, WORD.gate, 1)
    Atomics.notify(this.counters, WORD.gate)
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

async function crash(job: Promise<unknown>): Promise<ThreadSafeError> {
  const error = await rejection(job)
  assert.ok(error instanceof ThreadSafeError, inspect(error))
  assert.equal(error.code, 'ERR_CONTEXT_CRASHED')
  return error
}

describe("a Context's job", () => {
  for (const qsize of [1, 64]) {
    it(`that is aborted before it begins never runs (qsize ${qsize})`, async () => {
      const context = new Counted(qsize)
      const first = context.assign('blocked')
      await until('the first job has begun', () => context.calls === 1)
      const controller = new AbortController()
      const reason = new Error('not any more')
      const some = Array.from({ length: 5 }, () => context.run('called', [], { signal: controller.signal }))
      const last = context.assign('add', 1, 2)
      assert.equal(getEventListeners(controller.signal, 'abort').length, 5)
      controller.abort(reason)
      for (const job of some) assert.equal(await rejection(job), reason)
      assert.equal(codeOf(await rejection(context.run('called', [], { timeout: 5 }))), 'ERR_TIMEOUT')
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
      context.openGate()
      assert.deepEqual(await Promise.all([first, last]), ['through the gate', 3])
      assert.equal(await context.assign('add', 3, 4), 7)
      assert.equal(context.calls, 1)
      await context.close()
    })
  }

  it('that is aborted after it has begun rejects at once, runs to its end, and its answer is dropped', async () => {
    const context = new Counted(1)
    await context.assign('add', 1, 2)
    for (const how of ['timeout', 'signal']) {
      const before = context.calls
      const controller = new AbortController()
      const reason = new Error('too late')
      const first = context.run('blocked', [], how === 'timeout' ? { timeout: 1000 } : { signal: controller.signal })
      const second = context.assign('called')
      await until('the first job has begun', () => context.calls === before + 1)
      if (how === 'signal') controller.abort(reason)
      const error = await rejection(first)
      if (how === 'signal') assert.equal(error, reason)
      else assert.match(String(error), /TimeoutError: The job blocked\(\) was not done within 1000 ms/)
      assert.equal(context.calls, before + 1)
      context.openGate()
      assert.equal(await within('the second job', second), undefined)
      assert.equal(context.calls, before + 2)
      Atomics.store(context.counters, WORD.gate, 0)
    }
    assert.equal(context.loads, 1)
    await context.close()
  })

  it('whose answer has arrived when its time is up resolves with its result', async () => {
    const context = new Counted()
    await context.assign('add', 1, 1)
    const job = context.run('add', [1, 2], { timeout: 50 })
    const end = performance.now() + 150
    while (performance.now() < end);
    assert.equal(await job, 3)
    await context.close()
  })

  it("keeps nothing of its caller's AsyncLocalStorage when it is done", async () => {
    const storage = new AsyncLocalStorage<object>()
    const context = new Counted()
    const store = new WeakRef({ of: 'the first caller' })
    await storage.run(store.deref() as object, async () => {
      await context.assign('add', 1, 2)
      assert.equal((storage.getStore() as { of: string }).of, 'the first caller')
    })
    const deadline = performance.now() + 10_000
    while (store.deref()) {
      assert.ok(performance.now() < deadline, 'the store is still there')
      await sleep(10)
      collectGarbage()
    }
    assert.equal(await context.assign('add', 1, 2), 3)
    await context.close()
  })
})

describe("a Context's worker that ends", () => {
  it('in the middle of a job rejects that job, and the others run in a new one, each once', async () => {
    const context = new Counted()
    const threads = [context.assign('thread')]
    const crashed = [context.assign('exit', 3)]
    threads.push(context.assign('thread'))
    crashed.push(context.assign('exitLater', 4))
    threads.push(context.assign('thread'))
    crashed.push(context.assign('uncaught'))
    threads.push(context.assign('thread'))
    for (let k = 0; k < 20; k++) void context.assign('called')
    const [three, four, uncaught] = (await Promise.all(crashed.map(crash))) as unknown as [Error, Error, Error]
    assert.match(three.message, /in the middle of the job exit\(\)/)
    assert.match(String(three.cause), /exit code 3/)
    assert.match(String(four.cause), /exit code 4/)
    assert.ok(uncaught.cause instanceof TypeError)
    assert.deepEqual([uncaught.cause.message, codeOf(uncaught.cause)], ['not caught', 'E_UNCAUGHT'])
    assert.equal(new Set(await Promise.all(threads)).size, 4)
    await context.close()
    assert.deepEqual([context.loads, context.calls], [4, 20])
  })

  for (const qsize of [1, 3, 64]) {
    it(`while the answer is already on its way has done that job (qsize ${qsize})`, async () => {
      const context = new Counted(qsize)
      const jobs = Array.from({ length: 10 }, (_, k) => context.assign('answerAndExit', `${k}`))
      assert.deepEqual(
        await within('all answers', Promise.all(jobs), 20_000),
        Array.from({ length: 10 }, (_, k) => `${k}`),
      )
      await context.close()
    })
  }

  it('while it is idle is replaced for the next job', async () => {
    const context = new Counted()
    assert.equal(await context.assign('answerAndExit', 'a'), 'a')
    await until('the worker has ended', () => context.exits === 1)
    await loopIterations(20)
    assert.equal(await context.assign('answerAndExit', 'b'), 'b')
    assert.equal(await within('a job after that', context.assign('add', 1, 2)), 3)
    await context.terminate()
  })

  it('in the middle of a job that was aborted harms no other', async () => {
    const context = new Counted()
    const job = context.run('exitLater', [1], { timeout: 1 })
    const next = context.assign('add', 1, 2)
    assert.equal(codeOf(await rejection(job)), 'ERR_TIMEOUT')
    assert.equal(await within('the next job', next), 3)
    await context.close()
  })

  it('for lack of memory rejects the job with that error', async function () {
    this.timeout(60_000)
    const { code, stdout, stderr } = await runProcess('jobs-process', ['heap'], 50_000, ['--max-old-space-size=40'])
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'ERR_CONTEXT_CRASHED ERR_WORKER_OUT_OF_MEMORY 3\n' }, stderr)
  })
})

describe('a Context that is closed', () => {
  it('does the jobs it has, ends its worker, and takes no more', async () => {
    const context = new Counted(2)
    const jobs = [context.assign('later', 20, 'a'), context.assign('exit', 1), ...[1, 2, 3].map((k) => context.assign('give', k))]
    const outcomes = Promise.allSettled(jobs)
    const closing = context.close()
    const refused = context.assign('add', 1, 2)
    assert.equal(codeOf(await rejection(refused)), 'ERR_CONTEXT_CLOSED')
    await within('the end', closing)
    assert.deepEqual(
      (await outcomes).map((one) => (one.status === 'fulfilled' ? one.value : codeOf(one.reason))),
      ['a', 'ERR_CONTEXT_CRASHED', 1, 2, 3],
    )
    assert.equal(context.exits, 2)
    await within('the end, again', Promise.all([context.close(), context.close(), context.terminate(), context[Symbol.asyncDispose]()]))
    assert.match(String(await rejection(context.assign('add', 1, 2))), /jobs\.js is closed$/)
  })

  it('ends its worker, also when the module has timers, and when it has never done a job', async () => {
    {
      await using context = new Counted()
      await context.assign('tick')
    }
    await using unused = new Counted()
    assert.equal(unused.loads, 0)
  })

  it('says if it is not drained in time, and goes on', async () => {
    const context = new Counted()
    const job = context.assign('blocked')
    await until('the job has begun', () => context.calls === 1)
    const error = (await rejection(context.close({ timeout: 10 }))) as Error
    assert.match(error.message, /^The context was not drained within 10 ms$/)
    const controller = new AbortController()
    const aborted = context.close({ signal: controller.signal })
    controller.abort(new Error('too long'))
    assert.equal(((await rejection(aborted)) as Error).message, 'too long')
    assert.equal(codeOf(await rejection(context.assign('add', 1, 2))), 'ERR_CONTEXT_CLOSED')
    context.openGate()
    assert.equal(await job, 'through the gate')
    await within('the end', context.close())
    assert.equal(context.exits, 1)
  })

  for (const name of ['spin', 'never', 'blocked'] as const) {
    it(`by terminate() in the middle of ${name}() rejects all jobs that are left, at once`, async () => {
      const context = new Counted(2)
      const done = context.assign('add', 1, 2)
      const left = [context.assign(name), ...Array.from({ length: 5 }, () => context.assign('called'))]
      const outcomes = Promise.allSettled(left)
      await until('the job has begun', () => context.calls === 1)
      const closing = context.close()
      const ended = context.terminate()
      for (const one of await within('all jobs', outcomes)) {
        assert.equal(one.status === 'rejected' ? codeOf(one.reason) : one.value, 'ERR_CONTEXT_CLOSED')
      }
      await within('the end', Promise.all([ended, context.terminate(), closing]))
      assert.equal(await done, 3)
      assert.equal(context.calls, 1)
    })
  }

  it('by terminate() still delivers results that have arrived', async () => {
    const context = new Counted()
    await context.assign('add', 1, 2)
    const job = context.assign('called')
    const end = performance.now() + 10_000
    while (context.calls === 0 && performance.now() < end);
    const later = performance.now() + 50
    while (performance.now() < later);
    await context.terminate()
    assert.equal(await job, undefined)
  })

  it('by terminate() before its worker has started rejects its jobs', async () => {
    const context = new Counted()
    const job = context.assign('called')
    const ended = context.terminate()
    assert.equal(codeOf(await rejection(job)), 'ERR_CONTEXT_CLOSED')
    await within('the end', ended)
    assert.equal(context.calls, 0)
  })
})

describe('a Context that nothing refers to any more', function () {
  this.timeout(30_000)

  it('ends its worker, once its jobs are done', async () => {
    const counters = new Int32Array(new SharedArrayBuffer(16))
    const job = (() => new Context<Jobs>(JOBS, { workerData: { counters } }).assign('later', 300, 'done'))()
    for (let k = 0; k < 10; k++) {
      collectGarbage()
      await sleep(10)
    }
    assert.equal(await within('the job', job), 'done')
    const deadline = performance.now() + 10_000
    while (Atomics.load(counters, WORD.exits) === 0) {
      assert.ok(performance.now() < deadline, 'the worker is still there')
      collectGarbage()
      await sleep(10)
    }
  })

  it('leaves no memory behind', async () => {
    const { code, stdout, stderr } = await runProcess('jobs-process', ['memory'])
    assert.equal(code, 0, stderr)
    const [early, late] = stdout.trim().split(' ').map(Number) as [number, number]
    assert.ok(late < early + 20, `resident, in MB: ${early}, then ${late}`)
  })
})

describe('a process with a Context', function () {
  this.timeout(30_000)

  const CASES: [what: string, task: string, outcome: Partial<Outcome>][] = [
    ['ends while that is idle', 'idle', { code: 0, stdout: 'from the worker\n3\n' }],
    ['lives while a job is pending', 'pending', { code: 0, stdout: 'done\n' }],
    ['lives until it is closed', 'close', { code: 0, stdout: 'closed\n' }],
    ['ends while a job that was aborted goes on', 'aborted', { code: 0, stdout: 'aborted\n' }],
    ['ends by process.exit() with jobs pending', 'exit', { code: 5, stdout: '' }],
    ['ends by a rejection that nobody handles', 'unhandled', { code: 1, stdout: '' }],
    ['ends when a worker that has one ends', 'nested', { code: 0, stdout: '3\nthe worker has ended\n' }],
  ]
  for (const [what, task, expected] of CASES) {
    it(what, async () => {
      const { code, stdout, stderr } = await runProcess('jobs-process', [task])
      assert.deepEqual({ code, stdout }, expected, stderr)
      if (code === 0) assert.equal(stderr, '')
    })
  }

  it('can be a program that is passed as text', async () => {
    const text = `import { Context } from ${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)}
      console.log(await new Context(${JSON.stringify(JOBS.href)}).assign('add', 1, 2))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], { timeout: 20_000 })
    assert.equal(stdout, '3\n')
  })
})

describe('Contexts under load', function () {
  const JOBS_IN_ALL = Number(process.env.CONTEXT_JOBS ?? 3000)
  this.timeout(20_000 + JOBS_IN_ALL * 20)

  it(`settle each of ${JOBS_IN_ALL} jobs once, and correctly, though some throw and some kill their worker`, async () => {
    const chance = random(Number(process.env.SEED ?? 1))
    const contexts = [1, 16, 128].map((qsize) => new Counted(qsize))
    let settled = 0
    const expected = { returned: 0, threw: 0, crashed: 0, called: [0, 0, 0] }
    const wrong: string[] = []
    const check = (k: number, job: Promise<unknown>, isRight: (value: unknown, error: unknown) => boolean) => {
      let times = 0
      const settle = (value: unknown, error: unknown): void => {
        settled++
        if (++times > 1 || !isRight(value, error)) wrong.push(`${k}: ${inspect(value)}, ${inspect(error)}`)
      }
      return job.then(
        (value) => settle(value, undefined),
        (error: unknown) => settle(undefined, error),
      )
    }
    const jobs = Array.from({ length: JOBS_IN_ALL }, (_, k) => {
      const context = contexts[k % 3] as Counted
      const what = chance()
      if (what < 0.05) {
        expected.threw++
        return check(k, context.assign('throwValue', { k }), (_value, error) => (error as { k?: number } | undefined)?.k === k)
      }
      if (what < 0.06) {
        expected.crashed++
        const kill = (['exit', 'exitLater', 'uncaught'] as const)[k % 3] as 'exit'
        return check(k, context.assign(kill, 1), (_value, error) => codeOf(error) === 'ERR_CONTEXT_CRASHED')
      }
      expected.returned++
      if (what < 0.5) {
        ;(expected.called[k % 3] as number)++
        return check(k, context.assign('called'), (value, error) => value === undefined && error === undefined)
      }
      return check(k, context.assign('give', k % 2 ? k : { k }), (value) => (k % 2 ? value === k : (value as { k: number }).k === k))
    })
    await within(`the outcome of ${JOBS_IN_ALL} jobs`, Promise.all(jobs), 15_000 + JOBS_IN_ALL * 20)
    await within('the end of the contexts', Promise.all(contexts.map((context) => context.close())))
    assert.deepEqual(wrong, [])
    assert.equal(settled, JOBS_IN_ALL)
    assert.equal(expected.returned + expected.threw + expected.crashed, JOBS_IN_ALL)
    assert.deepEqual(
      contexts.map(({ calls }) => calls),
      expected.called,
    )
  })
})
