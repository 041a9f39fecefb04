/**
 * Compares BufferPool with a model of it, by random calls. Another thread sometimes dies with
 * leases.
 */
import { strict as assert } from 'node:assert'
import { BufferPool, type Lease } from '../../lib/index.js'
import fc from '../properties.js'
import { abort, compare, expiring, failure, ModelCalls, RealCalls, type Result, RUNS, Step, sync, TIMEOUT, value } from './model-calls.js'
import { Partner, PARTNER_SHARE } from './model-partner.js'

const ENDED = failure('ERR_LEASE_ENDED')
const partner = new Partner()

/** The buffer of a lease or token, which is undefined once that has ended. */
interface Content {
  /** The number that was written into the buffer last. */
  mark: number
}

class PoolModel {
  readonly calls = new ModelCalls<never>()
  /** This thread's leases, in the order in which it got them. */
  readonly leases: (Content | undefined)[] = []
  readonly tokens: (Content | undefined)[] = []
  readonly partners: Content[] = []
  marks = 0

  constructor(readonly count: number) {}

  get free(): number {
    return this.count - this.lent - this.passed
  }

  get lent(): number {
    return this.leases.filter(Boolean).length + this.partners.length
  }

  get passed(): number {
    return this.tokens.filter(Boolean).length
  }

  #lend(): Result {
    this.leases.push({ mark: this.marks++ })
    return value(this.leases.length - 1)
  }

  tryLend(): Result {
    return this.free > 0 ? this.#lend() : value(undefined)
  }

  lendSync(): Result {
    return this.free > 0 ? this.#lend() : failure('ERR_POOL_EMPTY')
  }

  lendSyncOnce(): Result {
    return this.free > 0 ? this.#lend() : TIMEOUT
  }

  lend(): number {
    return this.calls.begin(undefined as never)
  }

  mark(number: number): Result {
    const lease = this.leases[number]
    return lease ? value(lease.mark) : ENDED
  }

  release(number: number): Result {
    if (!this.leases[number]) return ENDED
    this.leases[number] = undefined
    return value(undefined)
  }

  pass(number: number): Result {
    const lease = this.leases[number]
    if (!lease) return ENDED
    this.leases[number] = undefined
    this.tokens.push(lease)
    return value(this.tokens.length - 1)
  }

  take(token: number): Result {
    const content = this.tokens[token]
    if (!content) return ENDED
    this.tokens[token] = undefined
    this.leases.push(content)
    return value(content.mark)
  }

  settle(): void {
    for (const id of this.calls.waiting.keys()) {
      if (this.free === 0) return
      this.calls.settle(id, this.#lend())
    }
  }

  state(): unknown {
    const { free, lent, passed } = this
    return { free, lent, passed }
  }
}

class RealPool {
  readonly calls = new RealCalls()
  readonly pool: BufferPool<Uint32Array>
  readonly leases: Lease<Uint32Array>[] = []
  readonly tokens: number[] = []
  #marks = 0

  constructor(count: number) {
    this.pool = new BufferPool(count, 'uint32[8]')
  }

  /** Fills the buffer of a new lease with a new mark. Returns the lease's number. */
  readonly lent = (lease: Lease<Uint32Array> | undefined): number | undefined => {
    if (!lease) return undefined
    lease.data.fill(this.#marks++)
    return this.leases.push(lease) - 1
  }

  /** Returns the mark that fills the whole buffer. */
  mark(number: number): number {
    const { data } = this.leases[number] as Lease<Uint32Array>
    const mark = data[0] as number
    assert.ok(
      data.every((one) => one === mark),
      `a buffer that is mixed up: ${data.join()}`,
    )
    return mark
  }

  pass(number: number): number {
    return this.tokens.push((this.leases[number] as Lease<Uint32Array>).pass()) - 1
  }

  take(token: number): number {
    return this.mark(this.leases.push(this.pool.take(this.tokens[token] as number)) - 1)
  }

  state(): unknown {
    return this.pool.stats()
  }

  end(): void {
    for (const lease of this.leases) lease[Symbol.dispose]()
  }
}

type Command = Step<PoolModel, RealPool>
const step = (name: string, act: Command['act'], isPossible?: Command['isPossible']): fc.Arbitrary<Command> =>
  fc.constant(new Step(name, act, isPossible))

/** Makes a command that uses one of all leases, or tokens, that there have been. */
function of(
  name: 'mark' | 'release' | 'pass' | 'take',
  list: 'leases' | 'tokens',
  call: (real: RealPool, number: number) => unknown,
): fc.Arbitrary<Command> {
  return fc.nat({ max: 1000 }).map(
    (pick) =>
      new Step(
        `${name}(${pick})`,
        (model, real) => {
          const number = pick % model[list].length
          const { act } = sync<PoolModel, RealPool>(
            name,
            () => model[name](number),
            () => call(real, number),
          )
          return act(model, real)
        },
        (model) => model[list].length > 0,
      ),
  )
}

const COMMAND: readonly fc.Arbitrary<Command>[] = [
  fc.constant(
    sync(
      'tryLend()',
      (model) => model.tryLend(),
      ({ pool, lent }) => lent(pool.tryLend()),
    ),
  ),
  fc.constant(
    sync(
      'lendSync()',
      (model) => model.lendSync(),
      ({ pool, lent }) => lent(pool.lendSync()),
    ),
  ),
  fc.constant(
    sync(
      'lendSync(0)',
      (model) => model.lendSyncOnce(),
      ({ pool, lent }) => lent(pool.lendSync({ timeout: 0 })),
    ),
  ),
  fc.constant(
    sync(
      'lendSync(0.1)',
      (model) => model.lendSyncOnce(),
      ({ pool, lent }) => lent(pool.lendSync({ timeout: 0.1 })),
    ),
  ),
  step('lend()', (model, { calls, pool, lent }) => {
    calls.begin(model.lend(), (signal) => pool.lend({ signal }).then(lent))
  }),
  step('lend(1)', async (model, real) => {
    await expiring(model, real, model.lend(), (timeout, signal) => real.pool.lend({ timeout, signal }).then(real.lent))
  }),
  of('mark', 'leases', (real, number) => real.mark(number)),
  of('release', 'leases', ({ leases }, number) => leases[number]?.release()),
  of('release', 'leases', ({ leases }, number) => leases[number]?.release()),
  of('pass', 'leases', (real, number) => real.pass(number)),
  of('take', 'tokens', (real, token) => real.take(token)),
  fc.nat().map((token) =>
    sync(
      `take(${token}), a token of nobody's`,
      () => ENDED,
      ({ pool, tokens }) => {
        pool.take(tokens.includes(token) ? 2 ** 32 - 1 : token)
      },
    ),
  ),
  fc.nat({ max: 1000 }).map(
    (pick) =>
      new Step(`dispose(${pick})`, (model, { leases }) => {
        const number = pick % Math.max(leases.length, 1)
        model.release(number)
        leases[number]?.[Symbol.dispose]()
      }),
  ),
  abort(),
]

const PARTNER_COMMAND: readonly fc.Arbitrary<Command>[] = [
  step('the other thread lends', async (model, { pool }) => {
    const mark = 1e6 + model.partners.length
    assert.equal(await partner.told({ does: 'lend', pool: pool.handle, number: mark }), model.free > 0)
    if (model.free > 0) model.partners.push({ mark })
  }),
  step(
    'the other thread passes one on',
    async (model, real) => {
      const token = (await partner.told({ does: 'pass', pool: real.pool.handle, number: 0 })) as number
      model.tokens.push(model.partners.shift())
      real.tokens.push(token)
      // The other thread has written only the first element.
      const lease = real.pool.take(token)
      const [mark] = lease.data
      assert.equal(mark, model.tokens.at(-1)?.mark)
      lease.data.fill(mark as number)
      real.tokens[real.tokens.length - 1] = lease.pass()
    },
    (model) => model.partners.length > 0,
  ),
  step('the other thread is killed', async (model) => {
    await partner.kill()
    model.partners.length = 0
  }),
]

describe('the pool does the same as its model, for random calls', function () {
  this.timeout(600_000)
  after(() => partner.kill())

  const counts = fc.integer({ min: 1, max: 4 })
  const make = (count: number): { model: PoolModel; real: RealPool } => ({ model: new PoolModel(count), real: new RealPool(count) })

  it('of one thread', () => compare(counts, COMMAND, make, { end: (real) => real.end() }))

  it('with a thread that is killed', () =>
    compare(counts, [...COMMAND, ...PARTNER_COMMAND, ...PARTNER_COMMAND], make, {
      runs: Math.ceil(RUNS * PARTNER_SHARE),
      async end(real) {
        real.end()
        await partner.told({ does: 'give back', pool: real.pool.handle, number: 0 })
      },
    }))
})
