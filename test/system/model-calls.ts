/**
 * Shared by the comparisons with models: random commands, which run on a model and on the real
 * object, and calls that are pending in both. fast-check shrinks a failure, and prints what repeats
 * it.
 */
import { strict as assert } from 'node:assert'
import fc, { REPLAY } from '../properties.js'
import { PATIENCE as TEST_PATIENCE } from '../support.js'

/** The result of a call, which is `pending` while it waits. */
export type Result =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'error'; readonly code: string } | { readonly kind: 'pending' }

export const PENDING: Result = { kind: 'pending' }
export const value = (result: unknown): Result => ({ kind: 'value', value: result })
export const failure = (code: string): Result => ({ kind: 'error', code })
export const ABORTED = failure('ABORTED')
export const TIMEOUT = failure('ERR_TIMEOUT')

export const RUNS = Number(process.env.MODEL_RUNS ?? 150)
const COMMANDS = 40
/**
 * Milliseconds after which a property stops shrinking and prints what it has. Each step may cost
 * PATIENCE, and Mocha's timeout would print nothing of it.
 */
const LONGEST = 300_000 * TEST_PATIENCE

/** Loop iterations after each call during which a call that should wait must not settle. */
const ITERATIONS = 3
/** Milliseconds within which a call that should settle must do so. */
const PATIENCE = 2000

/** Resolves after enough loop iterations for every call to settle that can. */
export async function rest(hasCome: () => boolean = () => true): Promise<void> {
  let end = 0
  for (let k = 0; k < ITERATIONS || !hasCome(); k++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (k < ITERATIONS) continue
    end ||= performance.now() + PATIENCE
    if (performance.now() > end) return
  }
}

export function failedWith(error: unknown): Result {
  const { code } = Object(error) as { code?: unknown }
  if (typeof code !== 'string') throw error
  return failure(code)
}

/** Returns the call's result: a value or an error. */
export function outcome(call: () => unknown): Result {
  try {
    return value(call())
  } catch (error) {
    return failedWith(error)
  }
}

/** A call of the real object that is pending, or has settled. */
export interface RealCall {
  readonly id: number
  readonly controller: AbortController
  readonly takesSignal: boolean
  result: Result
  /** The error with which it rejected. */
  error: unknown
}

/** The asynchronous calls of the real object, by their numbers in the model. */
export class RealCalls {
  readonly calls: RealCall[] = []

  begin(id: number, start: (signal: AbortSignal) => Promise<unknown>, takesSignal = true): RealCall {
    const controller = new AbortController()
    const call: RealCall = { id, controller, takesSignal, result: PENDING, error: undefined }
    this.calls.push(call)
    start(controller.signal).then(
      (result) => (call.result = value(result)),
      (error: unknown) => {
        call.error = error
        try {
          call.result = error === controller.signal.reason ? ABORTED : failedWith(error)
        } catch {
          call.result = failure(`no code: ${String(error)}`)
        }
      },
    )
    return call
  }

  pick(number: number): RealCall | undefined {
    return this.calls[number % Math.max(this.calls.length, 1)]
  }

  /** Waits until all calls are at rest, and compares their results with those of the model. */
  async compare({ results }: { readonly results: ReadonlyMap<number, Result> }): Promise<void> {
    await rest(() => this.calls.every(({ id, result }) => (result.kind === 'pending') === (results.get(id)?.kind === 'pending')))
    for (const { id, result } of this.calls) assert.deepEqual(result, results.get(id), `call ${id}`)
  }
}

/** The calls of a model: their results, and those that wait, in their order. */
export class ModelCalls<Waiting> {
  readonly results = new Map<number, Result>()
  readonly waiting = new Map<number, Waiting>()
  #ids = 0

  begin(waiting: Waiting): number {
    const id = this.#ids++
    this.results.set(id, PENDING)
    this.waiting.set(id, waiting)
    return id
  }

  /** Adds a call that has its result at once. */
  done(result: Result): number {
    const id = this.#ids++
    this.results.set(id, result)
    return id
  }

  /** Settles a call, unless it no longer waits. */
  settle(id: number, result: Result): void {
    if (this.waiting.delete(id)) this.results.set(id, result)
  }
}

export interface Model {
  readonly calls: ModelCalls<never>
  /** Serves the calls that wait, until none can be served. */
  settle(): void
  /** The state that the real object must have. */
  state(): unknown
}

export interface Real {
  readonly calls: RealCalls
  state(): unknown
}

/** A command: something that is done both in the model and in the real object, and compared. */
export class Step<M extends Model, R extends Real> implements fc.AsyncCommand<M, R> {
  constructor(
    readonly name: string,
    readonly act: (model: M, real: R) => void | Promise<void>,
    readonly isPossible: (model: Readonly<M>) => boolean = () => true,
  ) {}

  check(model: Readonly<M>): boolean {
    return this.isPossible(model)
  }

  async run(model: M, real: R): Promise<void> {
    await this.act(model, real)
    model.settle()
    await real.calls.compare(model.calls)
    assert.deepEqual(real.state(), model.state(), `after ${this.name}`)
  }

  toString(): string {
    return this.name
  }
}

/** Makes a command from a call that returns or throws at once. */
export function sync<M extends Model, R extends Real>(
  name: string,
  expected: (model: M) => Result,
  call: (real: R) => unknown,
): Step<M, R> {
  return new Step(name, (model, real) => {
    const found = outcome(() => call(real))
    assert.deepEqual(found, expected(model), name)
  })
}

/** Makes a command that aborts one of the calls. */
export function abort<M extends Model, R extends Real>(): fc.Arbitrary<Step<M, R>> {
  return fc.nat({ max: 1000 }).map(
    (pick) =>
      new Step<M, R>(`abort(${pick})`, ({ calls }, real) => {
        const call = real.calls.pick(pick)
        if (!call?.takesSignal) return
        calls.settle(call.id, ABORTED)
        call.controller.abort()
      }),
  )
}

/** Makes a call that waits for at most a millisecond, and awaits it. */
export async function expiring<M extends Model, R extends Real>(
  model: M,
  real: R,
  id: number,
  start: (timeout: number, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const call = real.calls.begin(id, (signal) => start(1, signal))
  model.settle()
  model.calls.settle(id, TIMEOUT)
  await rest(() => call.result.kind !== 'pending')
}

export function parameters<T>(runs = RUNS): fc.Parameters<T> {
  return { numRuns: runs, interruptAfterTimeLimit: LONGEST, markInterruptAsFailure: true }
}

/** Makes sequences of the commands. A replay is of the ones that a failure has shown. */
export function sequences<M extends object, R>(
  commands: readonly fc.Arbitrary<fc.AsyncCommand<M, R>>[],
): fc.Arbitrary<Iterable<fc.AsyncCommand<M, R>>> {
  return fc.commands([...commands], { maxCommands: COMMANDS, size: 'max', ...REPLAY })
}

/** Runs random commands on models and real objects that are made for each run. */
export async function compare<M extends Model, R extends Real, Shape>(
  shape: fc.Arbitrary<Shape>,
  commands: readonly fc.Arbitrary<Step<M, R>>[],
  make: (shape: Shape) => { model: M; real: R },
  { runs = RUNS, end }: { runs?: number; end?: (real: R) => unknown } = {},
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(shape, sequences(commands), async (given, steps) => {
      const { model, real } = make(given)
      try {
        await fc.asyncModelRun(() => ({ model, real }), steps)
      } finally {
        for (const { controller } of real.calls.calls) controller.abort()
        await end?.(real)
        await rest()
      }
    }),
    parameters(runs),
  )
}
