/**
 * The jobs of one context, and the worker that they run in.
 *
 * A job is in one of three places: in the backlog, while there is no room for it; in flight, from
 * its put into the queue of jobs until its answer; or done. Its promise may be settled before that,
 * by an abort: it then stays in flight until its answer, which is dropped.
 *
 * A worker that ends has answered all jobs that it took, except for the one that it was in. Jobs
 * that it has not taken are still in the queue, and the next worker goes on with the same queue. So
 * no job runs twice, and none is lost.
 */
import type { Worker } from 'node:worker_threads'
import { deserialize, serialize } from '../codec/structured.js'
import { invalidValue, retold, ThreadSafeError } from '../errors.js'
import { CLOSED, type Lane } from '../lane/lane.js'
import type { ThreadSafeQueue } from '../queue/queue.js'
import { Line } from '../wait/line.js'
import { type Held, Liveness, setDeadline, tidyLater, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Place } from '../wait/place.js'
import { NOTHING } from '../wait/selectable.js'
import { isTooLarge, type Packed, tooLarge, unpack } from './context-errors.js'
import { JobPlace, TimedCall } from './context-job.js'
import { nameOfModule } from './context-module.js'
import { type Queues, queuesOf, startWorker } from './context-parts.js'
import { Backlog, Flight } from './context-places.js'
import { type Answer, type ModuleName, OUTCOME, type Setup } from './context-protocol.js'

const NOT_LOADED = 'its module could not be loaded'
const DAMAGED = 'what is in its queues can not be read'

/** Whether encoding the values runs none of their code. */
function allPrimitive(values: readonly unknown[]): boolean {
  for (let k = 0; k < values.length; k++) {
    const value = values[k]
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') return false
  }
  return true
}

export class Runner implements Waiting {
  // The runner waits at no list, so nothing rings for it. A poll takes the answers that are there.
  readonly lists = []
  untidy = false
  readonly module: ModuleName
  readonly #workerData: unknown
  readonly #liveness = new Liveness()
  readonly #pending = new Line<undefined>(this)
  readonly #closing = new Line<undefined>(this)
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** The reason why the context is closed, if nobody has closed it. */
  #failure: { readonly why: string; readonly cause: unknown } | undefined
  #queues: Queues | undefined
  readonly #qsize: number
  readonly #flight: Flight
  readonly #backlog = new Backlog()
  #nextNumber = 0
  /** The worker, until it has ended. */
  #worker: Worker | undefined
  /** Whether the loop will call #begin(). */
  #starting = false
  readonly #starter: Held = { expire: () => this.#begin(), repair: () => undefined }
  #listening = false
  /** Whether the worker has taken a job. */
  #hasBegun = false
  /** The worker's uncaught exception. */
  #uncaught: { readonly cause: unknown } | undefined

  constructor(module: ModuleName, workerData: unknown, qsize: number) {
    this.module = module
    this.#workerData = workerData
    this.#qsize = qsize
    this.#flight = new Flight(qsize)
  }

  /** The number of jobs whose promises are pending. */
  get pending(): number {
    return this.#pending.length
  }

  get closed(): boolean {
    return this.#state !== 'open'
  }

  assign(name: string, args: readonly unknown[], patience: Patience): Promise<unknown> {
    const call = new TimedCall(`The job ${name}() was not done`, patience)
    const place = new JobPlace(call, name, this.#liveness, this.#flight.cancelled)
    return call.wait(patience, () => {
      try {
        this.#enter(place, args, patience)
      } catch (error) {
        throw isTooLarge(error) ? tooLarge(`job ${name}()`) : error
      }
    })
  }

  #enter(place: JobPlace, args: readonly unknown[], { timeout }: Patience): void {
    const { call, name } = place
    if (this.closed) {
      serialize(args)
      throw this.#closedError()
    }
    const { toWorker } = (this.#queues ??= queuesOf(this.#qsize))
    // A job whose arguments are primitive is encoded as it is put, since that runs no user code.
    // Its number is used up first: a script that is stopped in the put may have put the job.
    const isPlain = allPrimitive(args)
    if (isPlain) place.number = this.#nextNumber++
    else this.#hold(place, args, toWorker)
    // Code of the arguments may have aborted the signal, or closed the context.
    if (call.settled) return
    if (this.closed) throw this.#closedError()
    if (timeout === 0) {
      call.expire()
      return
    }
    tidyLater(this)
    this.#pending.add(place)
    const item = isPlain ? ([place.number, name, ...args] as const) : undefined
    if (this.#backlog.first || !this.#flight.put(toWorker, place, item)) {
      if (item) place.held = toWorker.hold(item)
      this.#backlog.add(place)
    }
    if (!this.#worker && !this.#starting) {
      // Scheduled first: if a script is stopped in between, it is scheduled twice, which does no
      // harm.
      setDeadline(this.#starter, 0)
      this.#starting = true
    }
  }

  /**
   * Encodes the job. That runs getters of the arguments, which may assign other jobs, and these
   * come first.
   */
  #hold(place: JobPlace, args: readonly unknown[], toWorker: Lane<unknown, unknown>): void {
    const { name } = place
    const number = this.#nextNumber
    place.held = toWorker.hold([number, name, ...args])
    if (this.#nextNumber !== number) {
      // A copy has no getters.
      const copy = deserialize(serialize(args)) as unknown[]
      place.held = toWorker.hold([this.#nextNumber, name, ...copy])
    }
    place.number = this.#nextNumber++
  }

  /**
   * Starts listening, and the worker. The loop calls this: otherwise both, which live as long as
   * the context, would keep the `AsyncLocalStorage` store of whoever assigned the first job.
   */
  #begin(): void {
    this.#starting = false
    if (this.#worker || !this.#queues || this.#state === 'closed') return
    if (!this.#listening) {
      this.#listening = true
      void this.#listen(this.#queues.answers)
    }
    if (this.#flight.count > 0 || this.#backlog.first) this.#start()
  }

  async #listen(answers: ThreadSafeQueue<Answer>): Promise<void> {
    while (this.#state !== 'closed') {
      try {
        await answers.forEach(this.#take)
        return
      } catch (error) {
        this.#lose(error)
      }
    }
  }

  /** Takes the answers that are there. A call whose time is up looks once more by this. */
  poll(): void {
    while (this.#queues && this.#state !== 'closed') {
      try {
        const answer = this.#queues.fromWorker.tryGet()
        if (answer === NOTHING || answer === CLOSED) return
        this.#take(answer as Answer)
      } catch (error) {
        this.#lose(error)
      }
    }
  }

  tidy(): void {}

  readonly #take = ([number, outcome, value]: Answer): void => {
    if (this.#state === 'closed') return
    if (outcome === OUTCOME.unloadable) {
      this.#fail(NOT_LOADED, unpack(value as Packed))
      return
    }
    this.#hasBegun = true
    const place = this.#flight.find(number)
    // There is none if a script was stopped while it assigned the job.
    if (place) {
      const result = outcome === OUTCOME.threw ? unpack(value as Packed) : value
      this.#flight.land(place)
      if (place.line) {
        if (outcome === OUTCOME.threw) place.call.reject(result)
        else place.call.resolve(outcome === OUTCOME.unknown ? retold(this.#unknown(place.name, result as string[])) : result)
      }
    }
    this.#goOn()
  }

  #unknown(name: string, names: readonly string[]): TypeError {
    return invalidValue('name', `a function that ${nameOfModule(this.module)} exports, which are ${names.join(', ') || 'none'}`, name)
  }

  /**
   * Handles an answer that can't be decoded. It belongs to the first job in flight, as answers come
   * in the order of the jobs.
   */
  #lose(error: unknown): void {
    const [first] = this.#flight.inOrder()
    if (first === undefined || isDamage(error)) {
      this.#fail(DAMAGED, error)
      return
    }
    this.#hasBegun = true
    this.#flight.land(first)
    if (first.line) first.call.reject(error)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#backlog.first) this.#fill()
    if (this.#state === 'closing' && this.#flight.count === 0 && !this.#backlog.first) this.#endWorker()
  }

  /** Puts jobs of the backlog into the queue. */
  #fill(): void {
    const { toWorker } = this.#queues as Queues
    // A job without a line has been cancelled, and is only removed.
    this.#backlog.putBy((place) => !place.line || this.#flight.put(toWorker, place, undefined))
  }

  #start(): void {
    const { jobs, answers } = this.#queues as Queues
    this.#hasBegun = false
    this.#uncaught = undefined
    let worker: Worker
    try {
      worker = startWorker(this.#workerData)
    } catch (cause) {
      this.#fail('its worker could not be started', cause)
      return
    }
    this.#worker = worker
    worker.on('error', (cause) => (this.#uncaught = { cause }))
    worker.once('exit', (code) => this.#ended(code))
    const setup: Setup = { module: this.module, jobs: jobs.handle, answers: answers.handle, cancelled: this.#flight.cancelled }
    worker.postMessage(setup)
    worker.unref()
  }

  #ended(code: number): void {
    this.poll()
    this.#worker = undefined
    if (this.#state !== 'closed') this.#recover(code)
    if (this.#state !== 'open' && !this.#worker) this.#over()
  }

  #recover(code: number): void {
    const cause = this.#uncaught ? this.#uncaught.cause : new Error(`The worker ended with exit code ${code}`)
    let next: number
    try {
      next = (this.#queues as Queues).jobs.peek()?.[0] ?? Infinity
    } catch (error) {
      this.#fail(DAMAGED, error)
      return
    }
    for (const place of this.#flight.inOrder()) {
      if (place.number >= next) break
      this.#hasBegun = true
      this.#flight.land(place)
      if (place.line) place.call.reject(crashed(place.name, cause))
    }
    // A worker is started only if there is a job, so this one could not even load the module.
    if (!this.#hasBegun) this.#fail(NOT_LOADED, cause)
    else if (this.#backlog.first) this.#fill()
    if (this.#flight.count > 0 || this.#backlog.first) this.#start()
  }

  close(patience: Patience): Promise<void> {
    const call = new TimedCall('The context was not drained', patience)
    const place = new Place(call, undefined, this.#liveness)
    return call.wait(patience, () => {
      tidyLater(this)
      this.#closing.add(place)
      this.drain()
    }) as Promise<void>
  }

  /** Takes no more jobs, and ends the worker when all are done. */
  drain(): void {
    if (this.#state === 'open') this.#state = 'closing'
    if (this.#state === 'closing') this.#goOn()
    else if (!this.#worker) this.#over()
  }

  #endWorker(): void {
    if (this.#worker) this.#queues?.jobs.close()
    else this.#over()
  }

  terminate(): Promise<void> {
    const ended = this.#terminate()
    // At once, since this thread may block next, for something that the job has.
    void this.#worker?.terminate()
    return ended
  }

  /**
   * At first it only takes no more jobs. A microtask does the rest, since the caller may be stopped,
   * or have hardly any stack left.
   */
  async #terminate(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing'
    await undefined
    this.poll()
    if (this.#state !== 'closed') this.#rejectAll()
    await this.#worker?.terminate()
    this.#over()
  }

  #fail(why: string, cause: unknown): void {
    this.#failure = { why, cause }
    this.#rejectAll()
    void this.#worker?.terminate()
    if (!this.#worker) this.#over()
  }

  #rejectAll(): void {
    this.#state = 'closed'
    this.#flight.clear()
    this.#backlog.clear()
    for (let { first } = this.#pending; first; { first } = this.#pending) first.call.reject(this.#closedError())
  }

  /** Called when the worker has ended and there will be no other. */
  #over(): void {
    this.#state = 'closed'
    this.#queues?.jobs.close()
    this.#queues?.answers.close({ discard: true })
    this.#queues = undefined
    for (let { first } = this.#closing; first; { first } = this.#closing) first.call.resolve(undefined)
  }

  #closedError(): ThreadSafeError {
    const failure = this.#failure
    const why = failure ? `, as ${failure.why}` : ''
    const error = new ThreadSafeError(`The context of ${nameOfModule(this.module)} is closed${why}`, 'ERR_CONTEXT_CLOSED')
    return failure ? withCause(error, failure.cause) : error
  }
}

function crashed(name: string, cause: unknown): ThreadSafeError {
  const message = `The worker of the context ended in the middle of the job ${name}()`
  return withCause(new ThreadSafeError(message, 'ERR_CONTEXT_CRASHED'), cause)
}

function withCause<E extends Error>(error: E, cause: unknown): E {
  return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true })
}

function isDamage(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_DAMAGED_MEMORY'
}
