/**
 * Compares the queue's whole interface with a model of it, by random calls. Whatever the calls and
 * their order, each has the same result as in the model, or waits as it does there. fast-check
 * shrinks a failure, and prints the seed and path that reproduce it (MODEL_SEED, MODEL_PATH).
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { type ElementType, type Overflow, record, ThreadSafeQueue } from '../../lib/index.js'
import { ABORTED, COMMANDS, failedWith, outcome, parameters, PENDING, rest, type Result, value } from './model-calls.js'
import { QueueModel } from './queue-model.js'

type Queue = ThreadSafeQueue<unknown, ArrayLike<unknown>>

/** Maps numbers to items of a type. */
interface Items {
  readonly name: string
  readonly type: ElementType
  readonly make: (number: number) => unknown
  readonly read: (item: never) => number
}

const KINDS: readonly Items[] = [
  { name: 'float64', type: 'float64', make: (number) => number, read: (number: number) => number },
  { name: 'any', type: 'any', make: (number) => ({ number }), read: ({ number }: { number: number }) => number },
  { name: 'string', type: 'string', make: String, read: Number },
  { name: 'records', type: record({ number: 'int32' }), make: (number) => ({ number }), read: ({ number }: { number: number }) => number },
  { name: "'int32[3]'", type: 'int32[3]', make: (number) => [number, 0, number], read: ([number]: Int32Array) => number as number },
]

/** A call of the real queue that has not settled, or has not been compared yet. */
interface Pending {
  readonly id: number
  readonly controller: AbortController
  result: Result
  count: number | undefined
}

class Real {
  readonly queue: Queue
  readonly calls: Pending[] = []

  constructor(
    readonly items: Items,
    capacity: number,
    overflow: Overflow,
  ) {
    this.queue = new ThreadSafeQueue(capacity, { type: items.type as 'any', overflow }) as Queue
  }

  read(item: unknown): number | undefined {
    return item === undefined ? undefined : this.items.read(item as never)
  }

  readAll(batch: ArrayLike<unknown>): (number | undefined)[] {
    return Array.from(batch, (item) => this.read(item))
  }

  begin(id: number, start: (signal: AbortSignal) => Promise<Result>): void {
    const controller = new AbortController()
    const call: Pending = { id, controller, result: PENDING, count: undefined }
    this.calls.push(call)
    start(controller.signal).then(
      (result) => (call.result = result),
      (error: unknown) => {
        call.result = error === controller.signal.reason ? ABORTED : failedWith(error)
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
    /**
     * Whether the model can predict the result. It can't tell how many items a getMany gets while a
     * waiting putMany goes in piece by piece.
     */
    readonly isDetermined: (model: Readonly<QueueModel>) => boolean = () => true,
  ) {}

  check(model: Readonly<QueueModel>): boolean {
    return this.isDetermined(model)
  }

  async run(model: QueueModel, real: Real): Promise<void> {
    await this.compare(model, real)
    model.settle()
    await rest(() => real.calls.every(({ id, result }) => (result.kind === 'pending') === (model.results.get(id)?.kind === 'pending')))
    for (const { id, result, count } of real.calls) {
      assert.deepEqual(result, model.results.get(id), `call ${id}`)
      // The error of a put of one item has no count.
      if (count !== undefined) assert.equal(count, model.counts.get(id), `the count of call ${id}`)
    }
    const { queue } = real
    const { depth, puts, gets, dropped, discarded, waitingGets, waitingPuts, unfinished } = queue.stats()
    assert.deepEqual(
      { depth, puts, gets, dropped, discarded, waitingGets, waitingPuts, unfinished, closed: queue.closed, full: queue.full() },
      {
        depth: model.items.length,
        puts: model.accepted,
        gets: model.got,
        dropped: model.dropped,
        discarded: model.discarded,
        waitingGets: model.gets.length,
        waitingPuts: model.puts.length,
        unfinished: model.unfinished,
        closed: model.closed,
        full: model.items.length === model.capacity,
      },
    )
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
      'getSync()',
      (model) => model.getSync(),
      (real) => real.read(real.queue.getSync()),
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
    new Command('get()', (model, real) => {
      real.begin(model.get(), (signal) => real.queue.get({ signal }).then((item) => value(real.read(item))))
    }),
  ),
  numbers.map(
    (ns) =>
      new Command(
        `putMany(${ns})`,
        (model, real) => {
          real.begin(model.put(ns), (signal) => real.queue.putMany(ns.map(real.items.make), { signal }).then(value))
        },
        ({ gets }) => !gets.some(({ most }) => most > 1),
      ),
  ),
  small.map(
    (most) =>
      new Command(
        `getMany(${most})`,
        (model, real) => {
          real.begin(model.get(most), (signal) => real.queue.getMany(most, { signal }).then((batch) => value(real.readAll(batch))))
        },
        ({ puts }) => puts.length === 0,
      ),
  ),
  fc.nat({ max: 1000 }).map(
    (pick) =>
      new Command(`abort(${pick})`, (model, real) => {
        const call = real.calls[pick % Math.max(real.calls.length, 1)]
        if (!call) return
        model.abort(call.id)
        call.controller.abort()
      }),
  ),
  fc.constant(
    new Command('get() and put() at once', (model, real) => {
      real.begin(model.get(), (signal) => real.queue.get({ signal }).then((item) => value(real.read(item))))
      real.begin(model.put([7]), (signal) => real.queue.put(real.items.make(7), { signal }).then(value))
    }),
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
  this.timeout(120_000)

  for (const items of KINDS) {
    it(`of ${items.name}`, async () => {
      const commands = fc.commands([...COMMAND, ...COMMAND, ...COMMAND, CLOSE], { maxCommands: COMMANDS, size: 'max' })
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
            real.queue.close({ discard: true })
            await rest()
          }
        }),
        parameters(),
      )
    })
  }
})
