/** The arguments, results and errors of a Context's jobs, and how its module is found. */
import { strict as assert } from 'node:assert'
import type * as cryptoModule from 'node:crypto'
import { relative, resolve } from 'node:path'
import type * as urlModule from 'node:url'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { Context, type JobName, ThreadSafeError, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import type * as threadsafeModule from 'threadsafe'
import type * as fixture from '../fixtures/jobs.js'
import { rejection, thrown, within } from '../support.js'

type Jobs = typeof fixture
const JOBS = new URL('../fixtures/jobs.js', import.meta.url)
const MIB = 2 ** 20

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(yes: Same<A, B>): void => assert.equal(yes, true)

interface Coded {
  name: string
  message: string
  code: string
  cause: unknown
}

async function rejectedWith(promise: Promise<unknown>, expected: Partial<Coded>): Promise<Error> {
  const error = (await rejection(promise)) as Error & Coded
  for (const [key, value] of Object.entries(expected)) assert.equal(error[key as keyof Coded], value, inspect(error))
  return error
}

describe('Context', () => {
  let context: Context<Jobs>
  before(() => (context = new Context<Jobs>(JOBS)))
  after(() => context.terminate())

  describe('jobs', () => {
    it('return what the function returns, awaited', async () => {
      assert.equal(await context.assign('add', 2, 3), 5)
      assert.equal(await context.assign('later', 1, 'awaited'), 'awaited')
      assert.equal(await context.run('add', [2, 3], { timeout: 10_000 }), 5)
      const values = [undefined, null, true, 0, -0, NaN, 2n, '', 'é', [], {}, [1, { a: [2] }], new Map([[1, new Set([2])]]), new Date(5)]
      const got = await Promise.all(values.map((value) => context.assign('give', value)))
      assert.deepEqual(got, values)
    })

    it('run in another thread, as plain functions', async () => {
      assert.notEqual(await context.assign('thread'), 0)
      assert.equal(await context.assign('self'), true)
    })

    it('run one after another, and an async function is awaited before the next begins', async () => {
      await Promise.all([context.assign('logged', 'a', 20), context.assign('logged', 'b', 0), context.assign('logged', 'c', 5)])
      assert.deepEqual(
        await context.assign('logged', 'd', 0),
        ['a', 'b', 'c', 'd'].flatMap((name) => [`${name} begins`, `${name} ends`]),
      )
    })

    it('get their arguments as they were when the job was assigned', async () => {
      const few = new Context<Jobs>(JOBS, { qsize: 1 })
      const value = { list: [1] }
      const jobs = [few.assign('give', value), few.assign('give', value), few.assign('give', value)]
      value.list.push(2)
      assert.deepEqual(await Promise.all(jobs), [{ list: [1] }, { list: [1] }, { list: [1] }])
      await few.close()
    })

    it('wait for room in their order, however many there are', async () => {
      for (const qsize of [1, 2, 7]) {
        const few = new Context<Jobs>(JOBS, { qsize })
        const order: number[] = []
        const jobs = Array.from({ length: 1000 }, (_, k) =>
          few
            .assign('give', k % 3 === 0 ? k : { k })
            .then((value) => order.push(typeof value === 'number' ? value : (value as { k: number }).k)),
        )
        await within('all jobs', Promise.all(jobs), 20_000)
        assert.deepEqual(
          order,
          Array.from({ length: 1000 }, (_, k) => k),
        )
        await few.close()
      }
    })

    it('take and return values that the queue has no room for at once', async () => {
      const few = new Context<Jobs>(JOBS, { qsize: 4 })
      const sizes = [1, 20, 3, 40, 1, 30].map((size) => size * MIB)
      const lengths = await Promise.all(sizes.map((size) => few.assign('length', new Uint8Array(size))))
      assert.deepEqual(lengths, sizes)
      const arrays = await Promise.all(sizes.map((size) => few.assign('zeros', size)))
      assert.deepEqual(
        arrays.map(({ length }) => length),
        sizes,
      )
      await few.terminate()
    })

    it('refuse more than 64 MiB, and say so', async () => {
      const message = /(job length|result of zeros)\(\) takes more than the 67108864 bytes/
      const expected = { name: 'RangeError', code: 'ERR_ITEM_TOO_LARGE' }
      const argument = await rejectedWith(context.assign('length', new Uint8Array(65 * MIB)), expected)
      const result = await rejectedWith(context.assign('zeros', 65 * MIB), expected)
      for (const error of [argument, result]) assert.match(error.message, message)
      assert.equal(await context.assign('add', 1, 1), 2)
    })

    it('refuse values that can not be cloned, for that job alone', async () => {
      const calls = await counting(async (counted) => {
        const [argument, result, good] = [
          counted.assign('called' as 'give', () => 1),
          counted.assign('uncloneable'),
          counted.assign('add', 1, 2),
        ]
        await rejectedWith(argument, { name: 'DataCloneError' })
        await rejectedWith(result, { name: 'DataCloneError' })
        await rejectedWith(counted.assign('give', Symbol('own')), { name: 'DataCloneError' })
        await rejectedWith(counted.assign('getter'), { name: 'RangeError', message: 'a getter' })
        assert.equal(await good, 3)
      })
      assert.equal(calls, 0)
    })

    it('whose function does not exist reject with a TypeError that names the module and what it exports', async () => {
      for (const name of ['none', 'constant', 'toString', '__proto__'] as never[]) {
        const error = await rejectedWith(context.assign(name), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
        assert.ok(error.message.includes(JOBS.href) && error.message.includes('add, '), error.message)
        assert.match(error.stack ?? '', /context\.test\.js/)
      }
      await rejectedWith(context.assign('Thing' as never), { name: 'TypeError' })
    })

    it("may be assigned, aborted and closed by getters in another job's arguments", async () => {
      const other = new Context<Jobs>(JOBS, { qsize: 2 })
      const inner: Promise<unknown>[] = []
      const assigning = {
        get x() {
          inner.push(other.assign('give', inner.length))
          return 'outer'
        },
      }
      const outer = await Promise.all([other.assign('give', assigning), other.assign('give', assigning), other.assign('give', 1)])
      assert.deepEqual(outer, [{ x: 'outer' }, { x: 'outer' }, 1])
      assert.deepEqual(
        await Promise.all(inner),
        inner.map((_, k) => k),
      )
      await other.close()
      const calls = await counting(async (counted) => {
        const controller = new AbortController()
        const reason = new Error('by a getter')
        const call = (argument: object, signal?: AbortSignal) => counted.run('called' as 'give', [argument], { signal })
        const aborting = Object.defineProperty({}, 'x', { enumerable: true, get: () => controller.abort(reason) })
        // Its worker is awake, so it could take the job.
        await counted.assign('add', 1, 2)
        const job = call(aborting, controller.signal)
        const end = performance.now() + 20
        while (performance.now() < end);
        assert.equal(await rejection(job), reason)
        const closing = Object.defineProperty({}, 'x', { enumerable: true, get: () => void counted.close() })
        await rejectedWith(call(closing), { code: 'ERR_CONTEXT_CLOSED' })
      })
      assert.equal(calls, 0)
    })

    it('get their own results, even if scripts were stopped while they assigned jobs', async function () {
      this.timeout(60_000)
      const other = new Context<Jobs>(JOBS, { qsize: 4 })
      const wrong: string[] = []
      let assigned = 0
      const assign = (): void => {
        const k = assigned++
        const note = (text: unknown): unknown => text === k || wrong.push(`${String(text)} for ${k}`)
        void other.assign('give', k).then(note, note)
      }
      for (let k = 0; k < 20; k++) {
        const error = thrown(() => runInNewContext('for (;;) assign()', { assign }, { timeout: 1 + (k % 4) }))
        assert.equal((error as Coded).code, 'ERR_SCRIPT_EXECUTION_TIMEOUT')
        assert.equal(await within('a job after that', other.assign('give', -k), 30_000), -k)
      }
      await within('the end', other.close(), 30_000)
      assert.deepEqual(wrong, [])
      assert.ok(assigned > 20)
    })
  })

  describe('errors', () => {
    const failing = (kind: keyof typeof fixture.ERRORS) => rejection(context.assign('fail', kind)) as Promise<Error & Coded>

    it('keep name, message, stack, code and cause', async () => {
      const plain = await failing('plain')
      assert.equal(Object.getPrototypeOf(plain), Error.prototype)
      assert.match(plain.stack ?? '', /^Error: plain\n {4}at .*jobs\.js/)
      assert.deepEqual(Object.keys(plain), [])

      const range = await failing('range')
      assert.ok(range instanceof RangeError && range.cause instanceof TypeError)
      assert.deepEqual([range.message, range.cause.message, range.cause.cause], ['range', 'inner', { text: 'no error' }])
      assert.match(range.cause.stack ?? '', /^TypeError: inner\n {4}at .*jobs\.js/)

      const later = (await rejection(context.assign('failLater', 'plain'))) as Error
      assert.match(later.stack ?? '', /^Error: plain\n {4}at .*jobs\.js/)
    })

    it('of a custom class keep the properties that it adds, if they can be cloned, and the built-in class', async () => {
      const own = (await failing('own')) as Error & Coded & { path: string }
      assert.ok(own instanceof TypeError)
      assert.deepEqual([own.name, own.message, own.code, own.cause, own.path], ['OwnError', 'own', 'E_OWN', 'a string', '/a/file'])
      assert.ok(!('tool' in own))
      const { errno, code, syscall, path } = (await failing('system')) as NodeJS.ErrnoException
      assert.deepEqual({ errno, code, syscall, path }, { errno: -2, code: 'ENOENT', syscall: 'open', path: '/none' })
    })

    it('of every other kind arrive as well', async () => {
      const several = (await failing('several')) as unknown as AggregateError
      assert.ok(several instanceof AggregateError && several.errors[0] instanceof RangeError)
      assert.deepEqual([several.message, several.errors[1]], ['several', 'two'])
      const exception = await failing('exception')
      assert.ok(exception instanceof DOMException)
      assert.deepEqual([exception.name, exception.message, exception.code], ['AbortError', 'stopped', 20])
      const undefinedCause = await failing('undefinedCause')
      assert.ok('cause' in undefinedCause && undefinedCause.cause === undefined)
      assert.ok(!('cause' in (await failing('plain'))))
      assert.match(String((await failing('functionCause')).cause), /=> undefined|Function/)
      const cyclic = await failing('cyclic')
      assert.equal(cyclic.cause, cyclic)
      assert.equal((await failing('endless')).message, 'endless')
      assert.equal((await failing('old')).message, 'made without a class')
      assert.equal((await failing('hostile')).message, 'hostile')
    })

    it('that are not Error objects arrive as they are', async () => {
      for (const value of [undefined, null, 0, 'text', 5n, { code: 1 }, [new Date(0)]]) {
        assert.deepEqual(await rejection(context.assign('throwValue', value)), value)
      }
      await rejectedWith(context.assign('throwFunction'), { name: 'DataCloneError' })
    })

    it('of the context itself begin at the call', async () => {
      async function caller(): Promise<void> {
        await context.run('later', [200, ''], { timeout: 5 })
      }
      const error = (await rejection(caller())) as TimeoutError
      assert.ok(error instanceof TimeoutError && error instanceof ThreadSafeError)
      assert.match(error.stack ?? '', /^TimeoutError: The job later\(\) was not done within 5 ms\n[^]*at async caller/)
    })
  })

  describe('module', () => {
    const path = fileURLToPath(JOBS)
    const cases: [what: string, module: URL | string][] = [
      ['a URL', JOBS],
      ['a URL as a string', JOBS.href],
      ['an absolute path', path],
      ['a path relative to the working directory', `./${relative('.', path)}`],
      ['the same, by way of the directory above', `../${relative(resolve('..'), path)}`],
    ]
    for (const [what, module] of cases) {
      it(`is ${what}`, async () => {
        const one = new Context<Jobs>(module)
        assert.equal(await one.assign('add', 1, 2), 3)
        await one.close()
      })
    }

    it("is one of Node's, a package, or a data: URL", async () => {
      const crypto = new Context<typeof cryptoModule>('node:crypto')
      const url = new Context<typeof urlModule>('url')
      const own = new Context<typeof threadsafeModule>('threadsafe')
      const data = new Context<{ twice(x: number): number }>('data:text/javascript,export const twice = (x) => 2 * x')
      assert.equal((await crypto.assign('randomUUID')).length, 36)
      assert.equal(await url.assign('fileURLToPath', JOBS.href), path)
      assert.match(((await rejection(own.assign('none' as never))) as Error).message, /that threadsafe exports, which are .*attachSignal/)
      assert.equal(await data.assign('twice', 4), 8)
      await Promise.all([crypto, url, own, data].map((one) => one.close()))
    })

    it('is a CommonJS module', async () => {
      const one = new Context<{ twice(x: number): number; fourTimes(x: number): number }>(
        new URL('../fixtures/jobs-commonjs.cjs', import.meta.url),
      )
      assert.equal(await one.assign('twice', 4), 8)
      assert.equal(await one.assign('fourTimes', 4), 16)
      await rejectedWith(one.assign('hasOwnProperty' as never), { code: 'ERR_INVALID_ARG_VALUE' })
      await one.close()
    })

    it('may export a function then(), which is not called by itself', async () => {
      const exports = 'export const then = (resolve) => resolve?.({}) ?? "then"; export const twice = (x) => 2 * x'
      const one = new Context<{ then(): string; twice(x: number): number }>(`data:text/javascript,${encodeURIComponent(exports)}`)
      assert.equal(await within('a job beside then()', one.assign('twice', 4), 10_000), 8)
      assert.equal(await one.assign('then'), 'then')
      await one.close()
    })

    const LOADS = 'export const x = 1; import { workerData } from "node:worker_threads"; Atomics.add(workerData, 0, 1); '
    const unloadable: [what: string, module: string, cause: RegExp][] = [
      ['does not exist', './no-such-module.js', /ERR_MODULE_NOT_FOUND/],
      ['is a package that does not exist', 'no-such-package', /MODULE_NOT_FOUND/],
      ['has a syntax error', 'data:text/javascript,export export', /SyntaxError/],
      [
        'throws',
        `data:text/javascript,${LOADS} throw Object.assign(new RangeError("at load"), { code: "E_LOAD" })`,
        /RangeError: at load[^]*E_LOAD/,
      ],
      ['throws no error', `data:text/javascript,${LOADS} throw "a string"`, /'a string'/],
      ['ends its worker', `data:text/javascript,${LOADS} process.exit(7)`, /exit code 7/],
      ['never comes to an end', `data:text/javascript,${LOADS} await new Promise(() => undefined)`, /exit code/],
    ]
    for (const [what, module, cause] of unloadable) {
      it(`that ${what} rejects all jobs with the cause, and is loaded once`, async () => {
        const loads = new Int32Array(new SharedArrayBuffer(4))
        const one = new Context(module, { workerData: loads, qsize: 2 })
        for (const job of [one.assign('a'), one.assign('b'), one.assign('c', {}), one.assign('d')]) {
          const error = await rejectedWith(job, { name: 'ThreadSafeError', code: 'ERR_CONTEXT_CLOSED' })
          assert.ok(error instanceof ThreadSafeError)
          assert.match(error.message, /is closed, as its module could not be loaded$/)
          assert.match(inspect(error.cause), cause)
        }
        assert.match(inspect((await rejectedWith(one.assign('e'), { code: 'ERR_CONTEXT_CLOSED' })).cause), cause)
        assert.ok((loads[0] as number) <= 1, `loaded ${loads[0]} times`)
        await within('the end of a context', Promise.all([one.close(), one.terminate()]))
      })
    }
  })

  describe('arguments', () => {
    it('of the constructor are checked', () => {
      const wrong: [args: unknown[], name: string, code: string, message: RegExp][] = [
        [[], 'TypeError', 'ERR_INVALID_ARG_TYPE', /"module" argument must be a URL/],
        [[5], 'TypeError', 'ERR_INVALID_ARG_TYPE', /"module"/],
        [[{ href: 5 }], 'TypeError', 'ERR_INVALID_ARG_TYPE', /"module"/],
        [[''], 'TypeError', 'ERR_INVALID_ARG_VALUE', /"module"/],
        [[new URL('https://example.org/jobs.js')], 'TypeError', 'ERR_INVALID_ARG_VALUE', /file:, data:, node:\. Received 'https/],
        [['https://example.org/jobs.js'], 'TypeError', 'ERR_INVALID_ARG_VALUE', /file:/],
        [[JOBS, 5], 'TypeError', 'ERR_INVALID_ARG_TYPE', /"options"/],
        [[JOBS, { qsize: '5' }], 'TypeError', 'ERR_INVALID_ARG_TYPE', /"options\.qsize"/],
        [[JOBS, { qsize: 0 }], 'RangeError', 'ERR_OUT_OF_RANGE', /"options\.qsize".*from 1 up to 1048576.*Received 0/],
        [[JOBS, { qsize: 1.5 }], 'RangeError', 'ERR_OUT_OF_RANGE', /"options\.qsize"/],
        [[JOBS, { qsize: 2 ** 20 + 1 }], 'RangeError', 'ERR_OUT_OF_RANGE', /"options\.qsize"/],
      ]
      for (const [args, name, code, message] of wrong) {
        const error = thrown(() => Reflect.construct(Context, args)) as Error & Coded
        assert.deepEqual([error.name, error.code], [name, code], inspect(error))
        assert.match(error.message, message)
      }
      assert.equal((thrown(() => new Context(JOBS, { workerData: () => 1 })) as Error).name, 'DataCloneError')
    })

    it('of calls are checked in their order: options, signal, arguments, closed', async () => {
      const aborted = AbortSignal.abort(new Error('aborted'))
      const closed = new Context<Jobs>(JOBS)
      await closed.close()
      const bad = (() => 1) as never
      const checks: [call: () => Promise<unknown>, expected: Partial<Coded>][] = [
        [() => closed.assign(5 as never), { code: 'ERR_INVALID_ARG_TYPE' }],
        [() => closed.run('length', 'abc' as never), { code: 'ERR_INVALID_ARG_TYPE' }],
        [() => closed.run(5 as never, [] as never, { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' }],
        [() => closed.run(5 as never, [] as never, { signal: aborted }), { message: 'aborted' }],
        [() => closed.run('length', 'abc' as never, { signal: aborted }), { message: 'aborted' }],
        [() => closed.run('length', [bad], 5 as never), { code: 'ERR_INVALID_ARG_TYPE' }],
        [() => closed.run('length', [bad], { timeout: -1, signal: aborted }), { code: 'ERR_OUT_OF_RANGE' }],
        [() => closed.run('length', [bad], { timeout: NaN }), { code: 'ERR_OUT_OF_RANGE' }],
        [() => closed.run('length', [bad], { signal: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' }],
        [() => closed.run('length', [bad], { signal: aborted }), { message: 'aborted' }],
        [() => closed.run('length', [bad], { timeout: 0 }), { name: 'DataCloneError' }],
        [() => closed.run('add', [1, 2], { timeout: 0 }), { code: 'ERR_CONTEXT_CLOSED' }],
        [() => context.run('add', [1, 2], { timeout: 0 }), { code: 'ERR_TIMEOUT' }],
        [() => context.close({ timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' }],
        [() => context.close({ signal: aborted }), { message: 'aborted' }],
      ]
      for (const [call, expected] of checks) await rejectedWith(call(), expected)
      // None of these calls has closed the context.
      assert.equal(await context.assign('add', 1, 2), 3)
    })
  })

  it('gives the module a copy of workerData', async () => {
    const queue = new ThreadSafeQueue<number>(3, { type: 'float64' })
    const withHandle = new Context<Jobs>(JOBS, { workerData: { handle: queue.handle } })
    await withHandle.assign('put', 5)
    assert.equal(queue.getSync(), 5)
    const workerData = { a: [1] }
    const withArray = new Context<Jobs>(JOBS, { workerData })
    workerData.a.push(2)
    assert.deepEqual(await withArray.assign('data'), { a: [1] })
    const withNothing = new Context<Jobs>(JOBS)
    assert.equal(await withNothing.assign('data'), undefined)
    await Promise.all([withHandle, withArray, withNothing].map((one) => one.close()))
  })

  it('is shown by inspect', async () => {
    assert.equal(
      inspect(new Context('./jobs.js'), { breakLength: Infinity }),
      `Context { module: '${new URL(`file://${resolve('jobs.js')}`).href}', pending: 0, closed: false }`,
    )
    const one = new Context('some-package')
    await one.close()
    assert.equal(inspect(one), "Context { module: 'some-package', pending: 0, closed: true }")
  })

  it('has types', () => {
    same<Extract<JobName<Jobs>, 'add' | 'give' | 'later' | 'constant' | 'Thing' | 'ERRORS'>, 'add' | 'give' | 'later'>(true)
    same<JobName<Record<string, (...args: unknown[]) => unknown>>, string>(true)
    const compiled = (typed: Context<Jobs>, untyped: Context) => {
      void (typed.assign('add', 1, 2) satisfies Promise<number>)
      void (typed.assign('later', 1, 'x') satisfies Promise<string>)
      void (typed.run('later', [1, 'x'] as const, { timeout: 1 }) satisfies Promise<string>)
      void (untyped.assign('whatever', 1, 'x') satisfies Promise<unknown>)
      // @ts-expect-error -- no such function.
      void typed.assign('none')
      // @ts-expect-error -- no function.
      void typed.assign('constant')
      // @ts-expect-error -- a class.
      void typed.assign('Thing')
      // @ts-expect-error -- an argument is missing.
      void typed.assign('add', 1)
      // @ts-expect-error -- of another type.
      void typed.assign('add', 1, '2')
      // @ts-expect-error -- of another type.
      void typed.run('add', [1, '2'])
      typed satisfies AsyncDisposable
    }
    assert.equal(typeof compiled, 'function')
  })
})

/** Returns how often the context has called `called()`. */
async function counting(use: (context: Context<Jobs>) => Promise<void>): Promise<number> {
  const counters = new Int32Array(new SharedArrayBuffer(16))
  const context = new Context<Jobs>(JOBS, { workerData: { counters } })
  await use(context)
  await context.close()
  return counters[1] as number
}
