/**
 * Compares Lock with a model of it, by random calls. Another thread sometimes dies while it holds
 * the lock.
 */
import { strict as assert } from 'node:assert'
import { type Held, Lock } from '../../lib/index.js'
import fc from '../properties.js'
import { abort, compare, expiring, failure, ModelCalls, RealCalls, type Result, RUNS, Step, sync, TIMEOUT, value } from './model-calls.js'
import { Partner, PARTNER_SHARE } from './model-partner.js'

const PARTNER = 'the other thread'
type Owner = number | typeof PARTNER
const partner = new Partner()

/** A lock that does one thing at a time. */
class LockModel {
  readonly calls = new ModelCalls<never>()
  /** The number of the acquisition that holds it, PARTNER, or undefined. */
  owner: Owner | undefined
  #abandoned = false
  #acquisitions = 0

  /** Gives the lock to that owner. The result says whether it was abandoned. */
  #take(owner: Owner = this.#acquisitions++): Result {
    this.owner = owner
    const abandoned = this.#abandoned
    this.#abandoned = false
    return value(abandoned)
  }

  tryAcquire(): Result {
    return this.owner === undefined ? this.#take() : value(undefined)
  }

  acquireSync(): Result {
    if (this.owner === undefined) return this.#take()
    return this.owner === PARTNER ? TIMEOUT : failure('ERR_LOCK_DEADLOCK')
  }

  acquire(): number {
    return this.calls.begin(undefined as never)
  }

  acquireOnce(): number {
    return this.calls.done(this.owner === undefined ? this.#take() : TIMEOUT)
  }

  ifAvailable(): number {
    if (this.owner !== undefined) return this.calls.done(value(undefined))
    const result = this.#take()
    this.owner = undefined
    return this.calls.done(result)
  }

  /** Releases the acquisition with that number, which may have ended. */
  release(number: Owner): void {
    if (this.owner === number) this.owner = undefined
  }

  partnerAcquires(): boolean | undefined {
    return this.owner === undefined ? ((this.#take(PARTNER) as { value: boolean }).value satisfies boolean) : undefined
  }

  partnerDies(): void {
    if (this.owner !== PARTNER) return
    this.owner = undefined
    this.#abandoned = true
  }

  settle(): void {
    for (const id of this.calls.waiting.keys()) {
      if (this.owner !== undefined) return
      this.calls.settle(id, this.#take())
    }
  }

  state(): unknown {
    return { locked: this.owner !== undefined }
  }
}

class RealLock {
  readonly lock = new Lock()
  readonly calls = new RealCalls()
  /** The acquisitions of this thread, in their order. */
  readonly held: Held[] = []

  readonly got = (held: Held | undefined): boolean | undefined => {
    if (held) this.held.push(held)
    return held?.abandoned
  }

  state(): unknown {
    return { locked: this.lock.locked }
  }
}

type Command = Step<LockModel, RealLock>
const step = (name: string, act: Command['act'], isPossible?: Command['isPossible']): fc.Arbitrary<Command> =>
  fc.constant(new Step(name, act, isPossible))

const COMMAND: readonly fc.Arbitrary<Command>[] = [
  fc.constant(
    sync(
      'tryAcquire()',
      (model) => model.tryAcquire(),
      ({ lock, got }) => got(lock.tryAcquire()),
    ),
  ),
  fc.constant(
    sync(
      'acquireSync(0)',
      (model) => model.acquireSync(),
      ({ lock, got }) => got(lock.acquireSync({ timeout: 0 })),
    ),
  ),
  fc.constant(
    sync(
      'acquireSync(0.1)',
      (model) => model.acquireSync(),
      ({ lock, got }) => got(lock.acquireSync({ timeout: 0.1 })),
    ),
  ),
  step('acquire()', (model, { calls, lock, got }) => {
    calls.begin(model.acquire(), (signal) => lock.acquire({ signal }).then(got))
  }),
  step('acquire(0)', (model, { calls, lock, got }) => {
    calls.begin(model.acquireOnce(), (signal) => lock.acquire({ signal, timeout: 0 }).then(got))
  }),
  step('acquire(1)', async (model, real) => {
    await expiring(model, real, model.acquire(), (timeout, signal) => real.lock.acquire({ timeout, signal }).then(real.got))
  }),
  step('request()', async (model, { calls, lock, got }) => {
    const id = model.acquire()
    model.settle()
    // If the request gets the lock at once, it is done with it at once.
    const isDone = !model.calls.waiting.has(id)
    if (isDone) model.owner = undefined
    else model.calls.settle(id, failure('ABORTED'))
    const call = calls.begin(id, (signal) => lock.request({ signal }, got))
    await new Promise(setImmediate)
    if (!isDone) call.controller.abort()
  }),
  step('request() if available', (model, { calls, lock, got }) => {
    const id = model.ifAvailable()
    calls.begin(id, () => lock.request({ ifAvailable: true }, (held) => got(held ?? undefined)))
  }),
  step('request() that throws', async (model, { calls, lock, got }) => {
    if (model.owner !== undefined) return
    model.acquireOnce()
    model.owner = undefined
    const call = calls.begin(model.calls.done(failure('OWN')), () =>
      lock.request((held) => {
        got(held)
        throw Object.assign(new Error('own'), { code: 'OWN' })
      }),
    )
    await new Promise(setImmediate)
    assert.equal(call.result.kind, 'error')
  }),
  fc.nat({ max: 1000 }).map(
    (pick) =>
      new Step(`release(${pick})`, (model, { held }) => {
        if (held.length === 0) return
        const number = pick % held.length
        model.release(number)
        held[number]?.release()
      }),
  ),
  step('release the last', (model, { held }) => {
    model.release(held.length - 1)
    held.at(-1)?.release()
  }),
  abort(),
]

const PARTNER_COMMAND: readonly fc.Arbitrary<Command>[] = [
  step('the other thread acquires', async (model, { lock }) => {
    const found = await partner.told({ does: 'acquire', lock: lock.handle })
    if (model.owner !== PARTNER) assert.equal(found, model.partnerAcquires())
  }),
  step('the other thread releases', async (model, { lock }) => {
    await partner.told({ does: 'release', lock: lock.handle })
    model.release(PARTNER)
  }),
  step('the other thread is killed', async (model) => {
    await partner.kill()
    model.partnerDies()
  }),
]

describe('the lock does the same as its model, for random calls', function () {
  this.timeout(600_000)
  after(() => partner.kill())

  const make = (): { model: LockModel; real: RealLock } => ({ model: new LockModel(), real: new RealLock() })
  const end = ({ held }: RealLock): void => {
    for (const one of held) one.release()
  }

  it('of one thread', () => compare(fc.constant(undefined), COMMAND, make, { end }))

  it('with a thread that is killed', () =>
    compare(fc.constant(undefined), [...COMMAND, ...PARTNER_COMMAND, ...PARTNER_COMMAND], make, {
      runs: Math.ceil(RUNS * PARTNER_SHARE),
      async end(real) {
        end(real)
        await partner.told({ does: 'release', lock: real.lock.handle })
      },
    }))
})
