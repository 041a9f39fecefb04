/**
 * Compares SharedRecord and Message with models of them, by random calls: values, versions, and
 * calls and iterators that wait. Another thread writes and is sometimes killed.
 */
import { strict as assert } from 'node:assert'
import { Message, record, SharedRecord } from '../../lib/index.js'
import fc from '../properties.js'
import {
  abort,
  compare,
  expiring,
  failure,
  type Model,
  ModelCalls,
  type Real,
  RealCalls,
  type Result,
  RUNS,
  Step,
  sync,
  TIMEOUT,
  value,
} from './model-calls.js'
import { Partner, PARTNER_SHARE } from './model-partner.js'

const partner = new Partner()

/** A value with versions. A waiting call waits for a later version than its own. */
abstract class VersionsModel implements Model {
  readonly calls = new ModelCalls<never>()
  readonly #since = new Map<number, number>()
  readonly #iterators = new Map<number, ModelIterator>()
  version = 0

  abstract newest(): unknown
  abstract state(): unknown

  waits(since: number): number {
    const id = this.calls.begin(undefined as never)
    this.#since.set(id, since)
    return id
  }

  /** Calls next() of the iterator. Several calls of one iterator are served one after another. */
  next(iterator: ModelIterator): number {
    const id = this.calls.begin(undefined as never)
    this.#iterators.set(id, iterator)
    return id
  }

  settle(): void {
    for (const id of this.calls.waiting.keys()) {
      const iterator = this.#iterators.get(id)
      if (iterator?.ended) this.calls.settle(id, value({ done: true, value: undefined }))
      else if (iterator && this.version > iterator.since) {
        iterator.since = this.version
        this.calls.settle(id, value({ done: false, value: this.newest() }))
      } else if (!iterator && this.version > (this.#since.get(id) as number)) this.calls.settle(id, value(this.woken()))
    }
  }

  /** Returns the result of a call that waited. */
  abstract woken(): unknown
}

interface ModelIterator {
  since: number
  ended: boolean
}

class RecordModel extends VersionsModel {
  fields = { a: 0, b: 0 }

  write(fields: Partial<RecordModel['fields']>): Result {
    if (Object.keys(fields).length > 0) {
      this.fields = { ...this.fields, ...fields }
      this.version++
    }
    return value(this.version)
  }

  newest(): unknown {
    return this.fields
  }

  woken(): unknown {
    return this.version
  }

  state(): unknown {
    return { value: this.fields, version: this.version, writes: this.version }
  }
}

class MessageModel extends VersionsModel {
  value: unknown
  isSet = false

  set(given: unknown): Result {
    this.value = given
    this.isSet = true
    this.version++
    return value(undefined)
  }

  clear(): Result {
    this.isSet = false
    return value(undefined)
  }

  /** Returns the version after which calls made from now on wait. */
  want(): number {
    return this.isSet ? this.version - 1 : this.version
  }

  newest(): unknown {
    return this.value
  }

  woken(): unknown {
    return this.value
  }

  state(): unknown {
    return { value: this.value, isSet: this.isSet }
  }
}

abstract class RealVersions implements Real {
  readonly calls = new RealCalls()
  readonly iterators: { readonly real: AsyncIterator<unknown>; readonly model: ModelIterator }[] = []
  abstract state(): unknown
  abstract iterate(): AsyncIterator<unknown>
}

class RealRecord extends RealVersions {
  readonly record = new SharedRecord(record({ a: 'float64', b: 'int32' }))

  iterate(): AsyncIterator<unknown> {
    return this.record[Symbol.asyncIterator]()
  }

  state(): unknown {
    return { ...this.record.readWithVersion(), writes: this.record.stats().writes }
  }
}

class RealMessage extends RealVersions {
  readonly message: Message<unknown, never>

  constructor(readonly kind: Kind) {
    super()
    this.message = new Message({ type: kind.type as 'any', maxBytes: 64 }) as unknown as Message<unknown, never>
  }

  set(number: number): void {
    this.message.set(this.kind.make(number) as never)
  }

  read(given: unknown): unknown {
    return given === undefined ? undefined : this.kind.read(given as never)
  }

  iterate(): AsyncIterator<unknown> {
    const iterator = this.message[Symbol.asyncIterator]()
    return {
      next: async () => {
        const { done, value: given } = await iterator.next()
        return { done: done === true, value: this.read(given) }
      },
      return: async () => {
        await iterator.return?.()
        return { done: true, value: undefined }
      },
    }
  }

  state(): unknown {
    return { value: this.read(this.message.value()), isSet: this.message.isSet() }
  }
}

/** Maps numbers to values of a type. */
interface Kind {
  readonly type: string
  readonly make: (number: number) => unknown
  readonly read: (given: never) => number
}

const KINDS: readonly Kind[] = [
  { type: 'any', make: (number) => ({ number }), read: ({ number }: { number: number }) => number },
  { type: 'string', make: String, read: Number },
  { type: 'float64', make: (number) => number, read: (number: number) => number },
]

const number = fc.integer({ min: 0, max: 1000 })

/** Makes commands that use iterators. A new iterator begins after the version `since`. */
function iterating<M extends VersionsModel, R extends RealVersions>(since: (model: M) => number): fc.Arbitrary<Step<M, R>>[] {
  const one = (
    name: string,
    act: (model: M, real: R, of: RealVersions['iterators'][number]) => void | Promise<void>,
  ): fc.Arbitrary<Step<M, R>> =>
    fc.nat({ max: 1000 }).map(
      (pick) =>
        new Step(`${name}(${pick})`, (model, real) => {
          const of = real.iterators[pick % Math.max(real.iterators.length, 1)]
          if (of) return act(model, real, of)
        }),
    )
  return [
    fc.constant(
      new Step('an iterator', (model: M, real: R) => {
        real.iterators.push({ real: real.iterate(), model: { since: since(model), ended: false } })
      }),
    ),
    one('next', (model, { calls }, iterator) => {
      const next = async (): Promise<unknown> => {
        const { done, value: given } = await iterator.real.next()
        return { done: done === true, value: given as unknown }
      }
      calls.begin(model.next(iterator.model), next, false)
    }),
    one('return', async (_model, _real, iterator) => {
      iterator.model.ended = true
      await iterator.real.return?.()
    }),
  ]
}

type RecordCommand = Step<RecordModel, RealRecord>

const RECORD: readonly fc.Arbitrary<RecordCommand>[] = [
  number.map((a) =>
    sync(
      `write(a: ${a})`,
      (model) => model.write({ a }),
      ({ record: shared }) => shared.write({ a }),
    ),
  ),
  number.map((b) =>
    sync(
      `write(b: ${b})`,
      (model) => model.write({ b }),
      ({ record: shared }) => shared.write({ b }),
    ),
  ),
  fc.constant(
    sync(
      'write({})',
      (model) => model.write({}),
      ({ record: shared }) => shared.write({}),
    ),
  ),
  fc.constant(
    sync(
      'write(wrong)',
      () => failure('ERR_INVALID_ARG_TYPE'),
      ({ record: shared }) => shared.write({ a: 1, b: 'one' } as never),
    ),
  ),
  number.map((a) =>
    sync(
      `write twice(${a})`,
      (model) => (model.write({ a }), model.write({ b: a })),
      ({ record: shared }) => (shared.write({ a }), shared.write({ b: a })),
    ),
  ),
  fc.constant(
    sync(
      'update()',
      (model) => model.write({ a: model.fields.a + 1 }),
      ({ record: shared }) => shared.update(({ a }) => ({ a: a + 1 })),
    ),
  ),
  fc.constant(
    sync(
      'update() that writes',
      (model) => (model.write({ b: 7 }), model.write({ a: model.fields.a + model.fields.b })),
      ({ record: shared }) => {
        let runs = 0
        return shared.update(({ a, b }) => {
          if (runs++ === 0) shared.write({ b: 7 })
          return { a: a + b }
        })
      },
    ),
  ),
  fc.constant(
    sync(
      'update() that throws',
      () => failure('OWN'),
      ({ record: shared }) =>
        shared.update(() => {
          throw Object.assign(new Error('own'), { code: 'OWN' })
        }),
    ),
  ),
  fc.integer({ min: -2, max: 2 }).map(
    (ahead) =>
      new Step(`wait(${ahead})`, (model, { calls, record: shared }) => {
        const since = Math.max(model.version + ahead, 0)
        calls.begin(model.waits(since), (signal) => shared.wait(since, { signal }))
      }),
  ),
  fc.integer({ min: -1, max: 1 }).map(
    (ahead) =>
      new Step(`wait(${ahead}) for 1 ms`, async (model, real) => {
        const since = Math.max(model.version + ahead, 0)
        await expiring(model, real, model.waits(since), (timeout, signal) => real.record.wait(since, { timeout, signal }))
      }),
  ),
  fc.integer({ min: -1, max: 1 }).map((ahead) => {
    const since = (version: number): number => Math.max(version + ahead, 0)
    return sync(
      `waitSync(${ahead})`,
      ({ version }) => (version > since(version) ? value(version) : TIMEOUT),
      ({ record: shared }) => shared.waitSync(since(shared.version), { timeout: 0 }),
    )
  }),
  ...iterating<RecordModel, RealRecord>(({ version }) => version),
  abort(),
]

const RECORD_PARTNER: readonly fc.Arbitrary<RecordCommand>[] = [
  number.map(
    (a) =>
      new Step(`the other thread writes ${a}`, async (model, { record: shared }) => {
        assert.equal(
          await partner.told({ does: 'write', record: shared.handle as never, number: a }),
          (model.write({ a }) as { value: unknown }).value,
        )
      }),
  ),
  fc.constant(new Step('the other thread is killed', () => partner.kill())),
]

type MessageCommand = Step<MessageModel, RealMessage>

const MESSAGE: readonly fc.Arbitrary<MessageCommand>[] = [
  number.map((n) =>
    sync(
      `set(${n})`,
      (model) => model.set(n),
      (real) => real.set(n),
    ),
  ),
  number.map((n) =>
    sync(
      `set and clear(${n})`,
      (model) => (model.set(n), model.clear()),
      (real) => (real.set(n), real.message.clear()),
    ),
  ),
  number.map((n) =>
    sync(
      `set twice(${n})`,
      (model) => (model.set(0), model.set(n)),
      (real) => (real.set(0), real.set(n)),
    ),
  ),
  fc.constant(
    sync(
      'clear()',
      (model) => model.clear(),
      ({ message }) => message.clear(),
    ),
  ),
  fc.constant(
    sync(
      'set(too long)',
      () => failure('TOO LONG'),
      ({ message, kind }) => {
        try {
          message.set((kind.type === 'float64' ? 'x' : 'x'.repeat(100)) as never)
        } catch {
          throw Object.assign(new Error('refused'), { code: 'TOO LONG' })
        }
      },
    ),
  ),
  fc.constant(
    new Step('wait()', (model: MessageModel, real: RealMessage) => {
      real.calls.begin(model.waits(model.want()), (signal) => real.message.wait({ signal }).then((given) => real.read(given)))
    }),
  ),
  fc.constant(
    new Step('wait(1)', async (model: MessageModel, real: RealMessage) => {
      await expiring(model, real, model.waits(model.want()), (timeout, signal) =>
        real.message.wait({ timeout, signal }).then((given) => real.read(given)),
      )
    }),
  ),
  fc.constant(
    sync(
      'waitSync(0)',
      (model) => (model.isSet ? value(model.value) : TIMEOUT),
      (real) => real.read(real.message.waitSync({ timeout: 0 })),
    ),
  ),
  ...iterating<MessageModel, RealMessage>((model) => model.want()),
  abort(),
]

const MESSAGE_PARTNER: readonly fc.Arbitrary<MessageCommand>[] = [
  fc.constant(
    new Step('the other thread clears', async (model: MessageModel, { message }: RealMessage) => {
      await partner.told({ does: 'clear message', message: message.handle as never, number: 0 })
      model.clear()
    }),
  ),
  number.map(
    (n) =>
      new Step(`the other thread sets ${n}`, async (model: MessageModel, { message }: RealMessage) => {
        await partner.told({ does: 'set message', message: message.handle as never, number: n })
        model.set(n)
      }),
  ),
  fc.constant(new Step('the other thread is killed', () => partner.kill())),
]

const none = fc.constant(undefined)
const withPartner = { runs: Math.ceil(RUNS * PARTNER_SHARE) }
const newRecord = (): { model: RecordModel; real: RealRecord } => ({ model: new RecordModel(), real: new RealRecord() })

async function endIterators({ iterators }: RealVersions): Promise<void> {
  for (const { real } of iterators) await real.return?.()
}

describe('the record does the same as its model, for random calls', function () {
  this.timeout(600_000)
  after(() => partner.kill())

  it('of one thread', () => compare(none, RECORD, newRecord, { end: endIterators }))
  it('with a thread that is killed', () =>
    compare(none, [...RECORD, ...RECORD_PARTNER, ...RECORD_PARTNER], newRecord, { ...withPartner, end: endIterators }))
})

describe('the message does the same as its model, for random calls', function () {
  this.timeout(600_000)
  after(() => partner.kill())

  for (const kind of KINDS) {
    it(`of ${kind.type}`, () => {
      const make = (): { model: MessageModel; real: RealMessage } => ({ model: new MessageModel(), real: new RealMessage(kind) })
      return compare(none, MESSAGE, make, { end: endIterators })
    })
  }
  it('with a thread that is killed', () => {
    const make = (): { model: MessageModel; real: RealMessage } => ({ model: new MessageModel(), real: new RealMessage(KINDS[2] as Kind) })
    return compare(none, [...MESSAGE, ...MESSAGE_PARTNER, ...MESSAGE_PARTNER], make, { ...withPartner, end: endIterators })
  })
})
