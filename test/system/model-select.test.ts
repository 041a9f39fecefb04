/**
 * Compares select() and selectSync() with a model of them, by random calls, together with gets and
 * waits for the same objects.
 */
import { strict as assert } from 'node:assert'
import { Message, select, selectSync, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import {
  abort,
  compare,
  expiring,
  failure,
  ModelCalls,
  outcome,
  RealCalls,
  type Result,
  Step,
  sync,
  TIMEOUT,
  value,
} from './model-calls.js'

const CAPACITY = 2
/** The number of sources: two queues, an event, a message. */
const SOURCES = 4
const EVENT = 2
const MESSAGE = 3
const CLOSED = failure('ERR_QUEUE_CLOSED')

/** A waiting select or, with a single queue, a waiting get. */
interface Waiting {
  readonly sources: readonly number[]
  readonly isGet: boolean
  readonly biased: boolean
}

class SelectModel {
  readonly calls = new ModelCalls<never>()
  readonly queues: number[][] = [[], []]
  readonly closed = [false, false]
  readonly #waiting = new Map<number, Waiting>()
  isEventSet = false
  isMessageSet = false
  message: number | undefined

  isReady(source: number): boolean {
    if (source === EVENT) return this.isEventSet
    if (source === MESSAGE) return this.isMessageSet
    return (this.queues[source] as number[]).length > 0 || (this.closed[source] as boolean)
  }

  /** Returns the places of the sources from which a select may take. */
  ready(sources: readonly number[]): number[] {
    return sources.flatMap((source, place) => (this.isReady(source) && sources.indexOf(source) === place ? [place] : []))
  }

  /** Takes from the source at that place, which must be ready. */
  take({ sources, isGet }: Pick<Waiting, 'sources' | 'isGet'>, place: number): Result {
    const source = sources[place] as number
    if (source === EVENT) return value({ index: place, item: undefined })
    if (source === MESSAGE) return value({ index: place, item: this.message })
    const items = this.queues[source] as number[]
    if (items.length === 0) return CLOSED
    const item = items.shift()
    return value(isGet ? item : { index: place, item })
  }

  begin(waiting: Waiting): number {
    const id = this.calls.begin(undefined as never)
    this.#waiting.set(id, waiting)
    return id
  }

  put(source: number, item: number): Result {
    if (this.closed[source]) return CLOSED
    const items = this.queues[source] as number[]
    if (items.length === CAPACITY) return value(false)
    items.push(item)
    return value(true)
  }

  get waiting(): Waiting[] {
    return [...this.calls.waiting.keys()].map((id) => this.#waiting.get(id) as Waiting)
  }

  /**
   * Serves waiting calls in their order. If several sources became ready at once, only biased calls
   * wait, so each takes the first.
   */
  settle(): void {
    for (const id of this.calls.waiting.keys()) {
      const waiting = this.#waiting.get(id) as Waiting
      const [place] = this.ready(waiting.sources)
      if (place !== undefined) this.calls.settle(id, this.take(waiting, place))
    }
  }

  state(): unknown {
    return { depths: this.queues.map(({ length }) => length), closed: this.closed }
  }
}

class RealSources {
  readonly calls = new RealCalls()
  readonly queues = [0, 1].map(() => new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' }))
  readonly event = new ThreadSafeEvent()
  readonly message = new Message<number>({ type: 'float64' })

  of(sources: readonly number[]): (ThreadSafeQueue<number, Float64Array> | ThreadSafeEvent | Message<number>)[] {
    const all = [...this.queues, this.event, this.message]
    return sources.map((source) => all[source] as ThreadSafeEvent)
  }

  state(): unknown {
    return { depths: this.queues.map((queue) => queue.qsize()), closed: this.queues.map((queue) => queue.closed) }
  }
}

type Command = Step<SelectModel, RealSources>
const command = (step: Command): fc.Arbitrary<Command> => fc.constant(step)

const found = ({ index, item }: { index: number; item: unknown }): unknown => ({ index, item })
const some = fc.array(fc.nat({ max: SOURCES - 1 }), { minLength: 1, maxLength: 4 })
const source = fc.nat({ max: 1 })
const number = fc.nat({ max: 1000 })

/**
 * Lets the model take what the real select took, as an unbiased select may take from any ready
 * source.
 */
function alike(model: SelectModel, sources: readonly number[], biased: boolean, real: Result): Result {
  const ready = model.ready(sources)
  const first = ready[0]
  if (first === undefined) return TIMEOUT
  if (biased) return model.take({ sources, isGet: false }, first)
  const { index } = (real.kind === 'value' ? real.value : {}) as { index?: number }
  const place = index ?? ready.find((one) => (model.queues[sources[one] as number] as number[] | undefined)?.length === 0)
  assert.ok(place !== undefined && ready.includes(place), `ready are ${ready.join()}, taken was from ${String(place)}`)
  return model.take({ sources, isGet: false }, place)
}

const COMMAND: readonly fc.Arbitrary<Command>[] = [
  fc.tuple(some, fc.boolean()).map(
    ([sources, biased]) =>
      new Step(`selectSync(${sources}, ${biased})`, (model, real) => {
        const result = outcome(() => found(selectSync(real.of(sources), { timeout: 0, biased })))
        assert.deepEqual(result, alike(model, sources, biased, result))
      }),
  ),
  fc.tuple(some, fc.boolean()).map(
    ([sources, biased]) =>
      new Step(`select(${sources}, ${biased})`, async (model, real) => {
        const isReady = model.ready(sources).length > 0
        const id = model.begin({ sources, isGet: false, biased })
        const call = real.calls.begin(id, async (signal) => found(await select(real.of(sources), { signal, biased })))
        if (!isReady) return
        await new Promise(setImmediate)
        await new Promise(setImmediate)
        model.calls.settle(id, alike(model, sources, biased, call.result))
      }),
  ),
  some.map(
    (sources) =>
      new Step(
        `select(${sources}) for 1 ms`,
        (model, real) =>
          expiring(model, real, model.begin({ sources, isGet: false, biased: true }), async (timeout, signal) =>
            found(await select(real.of(sources), { timeout, signal, biased: true })),
          ),
        (model) => model.ready(sources).length <= 1,
      ),
  ),
  source.map(
    (queue) =>
      new Step(`get(${queue})`, (model, real) => {
        real.calls.begin(model.begin({ sources: [queue], isGet: true, biased: true }), (signal) =>
          (real.queues[queue] as ThreadSafeQueue<number, Float64Array>).get({ signal }),
        )
      }),
  ),
  ...[1, 2, 3].map(() =>
    fc.tuple(source, number).map(([queue, n]) =>
      sync<SelectModel, RealSources>(
        `tryPut(${queue}, ${n})`,
        (model) => model.put(queue, n),
        ({ queues }) => queues[queue]?.tryPut(n),
      ),
    ),
  ),
  command(
    new Step('set the event', (model, { event }) => {
      model.isEventSet = true
      event.set()
    }),
  ),
  command(
    new Step('clear the event', (model, { event }) => {
      model.isEventSet = false
      event.clear()
    }),
  ),
  fc.tuple(source, number).map(
    ([queue, n]) =>
      new Step(
        `tryPut(${queue}, ${n}) and set the event at once`,
        (model, { queues, event }) => {
          model.put(queue, n)
          model.isEventSet = true
          // Sets the event first, which the loop then looks at first, though a biased select may
          // prefer the queue.
          event.set()
          queues[queue]?.tryPut(n)
        },
        (model) => !model.closed[queue] && model.waiting.every(({ biased }) => biased),
      ),
  ),
  number.map(
    (n) =>
      new Step(`set the message to ${n}`, (model, { message }) => {
        model.isMessageSet = true
        model.message = n
        message.set(n)
      }),
  ),
  command(
    new Step('clear the message', (model, { message }) => {
      model.isMessageSet = false
      message.clear()
    }),
  ),
  abort(),
]

const CLOSE: fc.Arbitrary<Command> = source.map(
  (queue) =>
    new Step(`close(${queue})`, (model, { queues }) => {
      model.closed[queue] = true
      queues[queue]?.close()
    }),
)

describe('select() does the same as its model, for random calls', function () {
  this.timeout(600_000)

  it('of queues, an event and a message', () =>
    compare(fc.constant(undefined), [...COMMAND, ...COMMAND, CLOSE], () => ({ model: new SelectModel(), real: new RealSources() }), {
      end({ queues }) {
        for (const queue of queues) queue.close({ discard: true })
      },
    }))
})
