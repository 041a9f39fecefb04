/**
 * Compares the queue's whole interface with a model of it, by random calls. Whatever the calls and
 * their order, each has the same result as in the model, or waits as it does there. fast-check
 * shrinks a failure, and prints what repeats it.
 */
import { strict as assert } from 'node:assert'
import type { Writable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { type ElementType, type Overflow, record, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { ABORTED, failedWith, outcome, parameters, PENDING, rest, type Result, sequences, value } from './model-calls.js'
import { isBad, QueueModel } from './queue-model.js'

type Queue = ThreadSafeQueue<unknown, ArrayLike<unknown>>

/** Maps numbers to items of a type. */
interface Items {
  readonly name: string
  readonly type: ElementType
  readonly make: (number: number) => unknown
  readonly read: (item: never) => number
  /** Makes an array that a get may fill. */
  readonly into?: () => Int32Array
}

const KINDS: readonly Items[] = [
  { name: 'float64', type: 'float64', make: (number) => number, read: (number: number) => number },
  { name: 'any', type: 'any', make: (number) => ({ number }), read: ({ number }: { number: number }) => number },
  { name: 'string', type: 'string', make: String, read: Number },
  { name: 'records', type: record({ number: 'int32' }), make: (number) => ({ number }), read: ({ number }: { number: number }) => number },
  {
    name: "'int32[3]'",
    type: 'int32[3]',
    make: (number) => [number, 0, number],
    read: ([number]: Int32Array) => number as number,
    into: () => new Int32Array(3),
  },
]

/** A call of the real queue that has not settled, or has not been compared yet. */
interface Pending {
  readonly id: number
  /** Undefined for a call that takes no signal. */
  readonly controller: AbortController | undefined
  result: Result
  count: number | undefined
}

/** The size of the batches that are iterated over. */
const BATCH = 3

class Real {
  readonly queue: Queue
  readonly calls: Pending[] = []
  /** What each forEach was called with, by the number of its call. */
  readonly handled = new Map<number, number[]>()
  iterator: AsyncIterableIterator<unknown>
  batches: AsyncIterableIterator<ArrayLike<unknown>>
  readonly stream: Writable

  constructor(
    readonly items: Items,
    capacity: number,
    overflow: Overflow,
  ) {
    this.queue = new ThreadSafeQueue(capacity, { type: items.type as 'any', overflow }) as Queue
    this.iterator = this.queue[Symbol.asyncIterator]()
    this.batches = this.queue.batches(BATCH)
    this.stream = this.queue.writable({ close: false })
    // Each write has the error too.
    this.stream.on('error', () => undefined)
  }

  /** Options of a get that fills an array, for items that are arrays. */
  get into(): { into?: undefined } {
    // The types of a queue of anything know no `into`.
    return (this.items.into ? { into: this.items.into() } : {}) as { into?: undefined }
  }

  read(item: unknown): number | undefined {
    return item === undefined ? undefined : this.items.read(item as never)
  }

  readAll(batch: ArrayLike<unknown>): (number | undefined)[] {
    return Array.from(batch, (item) => this.read(item))
  }

  /** Ends what waits, so that nothing keeps the process alive. */
  end(): void {
    this.queue.close({ discard: true })
    for (const { controller } of this.calls) controller?.abort()
  }

  state(): ReturnType<QueueModel['state']> {
    const { queue, calls, handled } = this
    const { depth, puts, gets, dropped, discarded, waitingGets, waitingPuts, unfinished } = queue.stats()
    const { closed } = queue
    return {
      results: new Map(calls.map(({ id, result }) => [id, result])),
      handled,
      stats: { depth, puts, gets, dropped, discarded, waitingGets, waitingPuts, unfinished, closed, full: queue.full() },
    }
  }

  begin(id: number, start: (signal: AbortSignal) => Promise<Result>): void {
    const controller = new AbortController()
    this.#await(id, start(controller.signal), controller)
  }

  /** A write to the stream. */
  write(id: number, item: unknown): void {
    const { stream } = this
    const written = new Promise<Result>((resolve, reject) =>
      stream.write(item, (error) => (error ? reject(error) : resolve(value(undefined)))),
    )
    this.#await(id, written)
  }

  /** A step of an iterator. */
  step<Value>(id: number, step: Promise<IteratorResult<Value>>, read: (item: Value) => unknown): void {
    this.#await(
      id,
      step.then(({ value: item, done }) => value({ value: done ? undefined : read(item as Value), done })),
    )
  }

  #await(id: number, promise: Promise<Result>, controller?: AbortController): void {
    const call: Pending = { id, controller, result: PENDING, count: undefined }
    this.calls.push(call)
    promise.then(
      (result) => (call.result = result),
      (error: unknown) => {
        call.result = controller && error === controller.signal.reason ? ABORTED : failedWith(error)
        call.count = (error as { count?: number } | undefined)?.count
      },
    )
  }
}

/** A call, in the model and in the real queue. */
class Command implements fc.AsyncCommand<QueueModel, Real> {
  constructor(
    readonly name: string,
    readonly compare: (model: QueueModel, real: Real) => void | Promise<void>,
    /** Whether the model can predict the result. */
    readonly isDetermined: (model: Readonly<QueueModel>) => boolean = () => true,
  ) {}

  check(model: Readonly<QueueModel>): boolean {
    return this.isDetermined(model)
  }

  async run(model: QueueModel, real: Real): Promise<void> {
    await this.compare(model, real)
    model.settle()
    await rest(() => isDeepStrictEqual(real.state(), model.state()))
    assert.deepEqual(real.state(), model.state())
    for (const { id, count } of real.calls) {
      // The error of a put of one item has no count.
      if (count !== undefined) assert.equal(count, model.counts.get(id), `the count of call ${id}`)
    }
  }

  toString(): string {
    return this.name
  }
}

/** Makes a command from a call that returns or throws at once. */
function sync(name: string, expected: (model: QueueModel) => Result, call: (real: Real) => unknown): Command {
  return new Command(name, (model, real) =>
    assert.deepEqual(
      outcome(() => call(real)),
      expected(model),
      name,
    ),
  )
}

/**
 * The number of items that a getMany gets is not determined while a waiting putMany goes in piece
 * by piece.
 */
const noBatchWaits = ({ gets }: Readonly<QueueModel>): boolean => !gets.some(({ most }) => most > 1)
const noPutWaits = ({ puts }: Readonly<QueueModel>): boolean => puts.length === 0
/** When a forEach that awaits its function comes back to the line is not determined. */
const noSlowWaits = ({ gets }: Readonly<QueueModel>): boolean => !gets.some(({ slow }) => slow)
const noneWaits = ({ gets }: Readonly<QueueModel>): boolean => gets.length === 0

const small = fc.integer({ min: 1, max: 6 })
const numbers = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 6 })
const number = fc.integer({ min: 0, max: 1000 })

const COMMAND: readonly fc.Arbitrary<Command>[] = [
  number.map((n) =>
    sync(
      `tryPut(${n})`,
      (model) => model.tryPut(n),
      ({ queue, items }) => queue.tryPut(items.make(n)),
    ),
  ),
  number.map((n) =>
    sync(
      `putSync(${n})`,
      (model) => model.putSync(n),
      ({ queue, items }) => queue.putSync(items.make(n)),
    ),
  ),
  number.map((n) =>
    sync(
      `putSync(${n}, 0)`,
      (model) => model.putSyncOnce(n),
      ({ queue, items }) => queue.putSync(items.make(n), { timeout: 0 }),
    ),
  ),
  fc.constant(
    sync(
      'tryGet()',
      (model) => model.tryGet(),
      (real) => real.read(real.queue.tryGet()),
    ),
  ),
  fc.constant(
    sync(
      'getSync(into)',
      (model) => model.getSync(),
      (real) => real.read(real.queue.getSync(real.into)),
    ),
  ),
  fc.constant(
    sync(
      'peek()',
      (model) => model.peek(),
      (real) => real.read(real.queue.peek()),
    ),
  ),
  numbers.map((ns) =>
    sync(
      `putManySync(${ns})`,
      (model) => model.putManySync(ns),
      ({ queue, items }) => queue.putManySync(ns.map(items.make)),
    ),
  ),
  small.map((most) =>
    sync(
      `getManySync(${most})`,
      (model) => model.getManySync(most),
      (real) => real.readAll(real.queue.getManySync(most)),
    ),
  ),
  fc.constant(
    sync(
      'clear()',
      (model) => model.clear(),
      ({ queue }) => queue.clear(),
    ),
  ),
  small.map((count) =>
    sync(
      `taskDone(${count})`,
      (model) => model.taskDone(count),
      ({ queue }) => queue.taskDone(count),
    ),
  ),
  number.map(
    (n) =>
      new Command(`put(${n})`, (model, real) => {
        real.begin(model.put([n]), (signal) => real.queue.put(real.items.make(n), { signal }).then(value))
      }),
  ),
  fc.constant(
    new Command(
      'get(into)',
      (model, real) => {
        real.begin(model.get(), (signal) => real.queue.get({ ...real.into, signal }).then((item) => value(real.read(item))))
      },
      noSlowWaits,
    ),
  ),
  fc.constant(
    new Command(
      'next()',
      (model, real) => {
        real.step(model.next(), real.iterator.next(), (item) => real.read(item))
      },
      noSlowWaits,
    ),
  ),
  fc.constant(
    new Command('return()', async (model, real) => {
      const { iterator, queue } = real
      real.iterator = queue[Symbol.asyncIterator]()
      assert.deepEqual([model.return(), await iterator.return?.(7)], [value(undefined), { value: 7, done: true }])
    }),
  ),
  fc.constant(
    new Command(
      'batches: next()',
      (model, real) => {
        real.step(model.next(BATCH), real.batches.next(), (batch) => real.readAll(batch))
      },
      (model) => noPutWaits(model) && noSlowWaits(model),
    ),
  ),
  fc.constant(
    new Command('batches: return()', async (model, real) => {
      const { batches, queue } = real
      real.batches = queue.batches(BATCH)
      assert.deepEqual([model.return(BATCH), await batches.return?.(7)], [value(undefined), { value: 7, done: true }])
    }),
  ),
  fc.boolean().map(
    (slow) =>
      new Command(
        `forEach(${slow ? 'slow' : 'quick'})`,
        (model, real) => {
          const id = model.forEach(slow)
          const handled: number[] = []
          real.handled.set(id, handled)
          const handle = (item: unknown): unknown => {
            const number = real.read(item) as number
            handled.push(number)
            if (isBad(number)) throw Object.assign(new Error('bad'), { code: 'E_BAD' })
            return slow ? Promise.resolve() : undefined
          }
          real.begin(id, (signal) => real.queue.forEach(handle, { signal }).then(value))
        },
        slow ? noneWaits : noSlowWaits,
      ),
  ),
  number.map(
    (n) =>
      new Command(
        `write(${n})`,
        (model, real) => {
          real.write(model.write(n), real.items.make(n))
        },
        (model) => noBatchWaits(model) && !model.closed,
      ),
  ),
  fc.constant(
    new Command('join()', (model, real) => {
      real.begin(model.join(), (signal) => real.queue.join({ signal }).then(value))
    }),
  ),
  numbers.map(
    (ns) =>
      new Command(
        `putMany(${ns})`,
        (model, real) => {
          real.begin(model.put(ns), (signal) => real.queue.putMany(ns.map(real.items.make), { signal }).then(value))
        },
        noBatchWaits,
      ),
  ),
  small.map(
    (most) =>
      new Command(
        `getMany(${most})`,
        (model, real) => {
          real.begin(model.get(most), (signal) => real.queue.getMany(most, { signal }).then((batch) => value(real.readAll(batch))))
        },
        (model) => noPutWaits(model) && noSlowWaits(model),
      ),
  ),
  fc.nat({ max: 1000 }).map(
    (pick) =>
      new Command(`abort(${pick})`, (model, real) => {
        const call = real.calls[pick % Math.max(real.calls.length, 1)]
        if (!call?.controller) return
        model.abort(call.id)
        call.controller.abort()
      }),
  ),
  fc.constant(
    new Command(
      'get() and put() at once',
      (model, real) => {
        real.begin(model.get(), (signal) => real.queue.get({ signal }).then((item) => value(real.read(item))))
        real.begin(model.put([7]), (signal) => real.queue.put(real.items.make(7), { signal }).then(value))
      },
      noSlowWaits,
    ),
  ),
]

/** Closing leaves little to test, so it is rare. */
const CLOSE = fc.boolean().map((discard) =>
  sync(
    `close(${discard})`,
    (model) => model.close(discard),
    ({ queue }) => queue.close({ discard }),
  ),
)

describe('the queue does the same as its model, for random calls', function () {
  this.timeout(600_000)

  for (const items of KINDS) {
    it(`of ${items.name}`, async () => {
      const commands = sequences([...COMMAND, ...COMMAND, ...COMMAND, CLOSE])
      const shape = {
        capacity: fc.integer({ min: 1, max: 5 }),
        overflow: fc.constantFrom<Overflow>('reject', 'drop-newest', 'drop-oldest'),
      }
      await fc.assert(
        fc.asyncProperty(fc.record(shape), commands, async ({ capacity, overflow }, commands) => {
          const real = new Real(items, capacity, overflow)
          try {
            await fc.asyncModelRun(() => ({ model: new QueueModel(capacity, overflow), real }), commands)
          } finally {
            real.end()
            await rest()
          }
        }),
        parameters(),
      )
    })
  }
})
