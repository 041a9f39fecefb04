import type { InspectOptions } from 'node:util'
import { checkObject, patience, type WaitOptions } from '../wait/options.js'
import { invalidType, outOfRange } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { structuredClone } from '../intrinsics.js'
import { checkModule, nameOfModule } from './context-module.js'
import { Runner } from './context-runner.js'

/** Options of `new Context()`. */
export interface ContextOptions {
  /**
   * How many jobs can be on their way to the worker and back at a time, from 1 to 2^20. All others
   * wait in memory. Default: 128.
   */
  qsize?: number | undefined
  /**
   * The value of `workerData` of `node:worker_threads` in the module, copied by structured clone.
   * Default: undefined.
   */
  workerData?: unknown
}

/** The names of the functions that a context's module exports. */
export type JobName<M> = { [Name in keyof M]: M[Name] extends (...args: never) => unknown ? Name : never }[keyof M] & string

/** The parameters of the function of that name. */
export type JobArguments<M, Name extends keyof M> = M[Name] extends (...args: infer Args) => unknown ? Args : never

/** The result of the function of that name, awaited. */
export type JobResult<M, Name extends keyof M> = M[Name] extends (...args: never) => infer Result ? Awaited<Result> : never

const DEFAULT_QSIZE = 128
const MOST_QSIZE = 2 ** 20

/** When nobody has the context any more, its worker does the jobs it has, and ends. */
const abandoned = new FinalizationRegistry<Runner>((runner) => runner.drain())

/**
 * Runs the exported functions of a module in a worker of its own, one after another, and resolves
 * with what they return. So a function that blocks becomes one that is awaited.
 *
 * - An async function is awaited before the next job begins.
 * - Arguments and results are copied by structured clone, up to 64 MiB each.
 * - The worker starts with the first job. One that ends in the middle of a job rejects that job,
 *   and the others run in a new one, each once.
 * - A pending job keeps the process alive, an idle context does not. The worker of a context that
 *   is not used any more ends when that is collected.
 *
 * @example
 * const context = new Context<typeof import('./jobs.js')>(new URL('./jobs.js', import.meta.url))
 * const key = await context.assign('deriveKey', 'password', 'salt')
 * await context.close()
 */
export class Context<M = Record<string, (...args: unknown[]) => unknown>> implements AsyncDisposable {
  readonly #runner: Runner

  /**
   * Creates a context for the functions that `module` exports. `module` is a URL, or a string with
   * a URL, of the kind `file:`, `data:` or `node:`. Or it is the path of a file, relative to the
   * working directory if it begins with `./` or `../`. Or it is the name of a package, which is
   * looked up from the working directory as by `require()`. CommonJS modules work too.
   *
   * The module is loaded with the first job. If that fails, or the worker ends before it has begun
   * a job, all jobs reject with `ERR_CONTEXT_CLOSED`, whose `cause` says why. Throws `TypeError`
   * `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for a module that can't be one, `RangeError`
   * `ERR_OUT_OF_RANGE` for another `qsize`, `DataCloneError` for `workerData` that can't be cloned.
   */
  constructor(module: URL | string, options?: ContextOptions) {
    const name = checkModule(module)
    checkObject('options', options)
    const { qsize = DEFAULT_QSIZE, workerData } = options ?? {}
    if (typeof qsize !== 'number') throw invalidType('options.qsize', 'a whole number', qsize)
    if (!Number.isInteger(qsize) || qsize < 1 || qsize > MOST_QSIZE)
      throw outOfRange('options.qsize', `a whole number from 1 up to ${MOST_QSIZE}`, qsize)
    this.#runner = new Runner(name, structuredClone(workerData), qsize)
    abandoned.register(this, this.#runner)
  }

  /**
   * Calls the function of that name with those arguments when all jobs before it are done. Resolves
   * with its result, awaited.
   *
   * Rejects with what the function throws: an error keeps its name, message, stack, `code` and
   * `cause`. Also rejects with a `DataCloneError` for arguments or a result that can't be cloned,
   * `RangeError` `ERR_ITEM_TOO_LARGE` for more than 64 MiB of them, `TypeError`
   * `ERR_INVALID_ARG_VALUE` for a name that the module does not export, and `ERR_CONTEXT_CRASHED`
   * if the worker ends while it is in this job.
   *
   * If the queue of jobs is full, the job waits behind those before it; such a backlog takes
   * memory. If the context is closed, rejects with `ERR_CONTEXT_CLOSED`.
   *
   * @example
   * const thumbnail = await context.assign('resize', image, 200)
   */
  assign<Name extends JobName<M>>(name: Name, ...args: JobArguments<M, Name>): Promise<JobResult<M, Name>> {
    return this.#assign(name, args, undefined)
  }

  /**
   * As `assign()`, with a time limit and a signal: rejects with `TimeoutError` after `timeout`
   * milliseconds, or with the signal's `reason`. A job that has not begun by then never runs. One
   * that has begun goes on to its end, and the next one begins after that.
   *
   * @example
   * const rows = await context.run('query', ['select * from log'], { timeout: 1000 })
   */
  run<Name extends JobName<M>>(name: Name, args: Readonly<JobArguments<M, Name>>, options?: WaitOptions): Promise<JobResult<M, Name>> {
    return this.#assign(name, args, options)
  }

  #assign<Result>(name: unknown, args: unknown, options: WaitOptions | undefined): Promise<Result> {
    try {
      const limits = patience(options)
      if (typeof name !== 'string') throw invalidType('name', 'a string', name)
      if (!Array.isArray(args)) throw invalidType('args', 'an array', args)
      return this.#runner.assign(name, [...(args as unknown[])], limits) as Promise<Result>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Takes no more jobs, and resolves when those there are have been done and the worker has ended.
   * Rejects with `TimeoutError` after `timeout` milliseconds, or with the signal's `reason`; the
   * context is closed all the same, and goes on with its jobs. Closed: resolves as before.
   *
   * @example
   * await context.close({ timeout: 5000 }).catch(() => context.terminate())
   */
  close(options?: WaitOptions): Promise<void> {
    try {
      return this.#runner.close(patience(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Ends the worker at once, in the middle of a job, and resolves when it has ended. All jobs that
   * are not done reject with `ERR_CONTEXT_CLOSED`. Closed: ends the worker all the same.
   *
   * @example
   * await context.terminate()
   */
  terminate(): Promise<void> {
    return this.#runner.terminate()
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal `Context { module: 'file:///app/jobs.js', pending: 3, closed: false }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    const look = () => ({ module: nameOfModule(this.#runner.module), pending: this.#runner.pending, closed: this.#runner.closed })
    return inspectAs(this, 'Context', look, depth, options)
  }
}
