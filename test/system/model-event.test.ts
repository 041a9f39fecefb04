/**
 * Compares the event with a model of it, by random calls, while another thread waits and is
 * sometimes killed.
 */
import { ThreadSafeEvent } from '../../lib/index.js'
import fc from '../properties.js'
import { abort, compare, expiring, ModelCalls, RealCalls, type Result, RUNS, Step, sync, value } from './model-calls.js'
import { Partner, PARTNER_SHARE } from './model-partner.js'

const partner = new Partner()

class EventModel {
  readonly calls = new ModelCalls<never>()
  isSet = false

  set(): Result {
    this.isSet = true
    this.settle()
    return value(undefined)
  }

  clear(): Result {
    this.isSet = false
    return value(undefined)
  }

  wait(): number {
    return this.calls.begin(undefined as never)
  }

  settle(): void {
    if (this.isSet) for (const id of this.calls.waiting.keys()) this.calls.settle(id, value(undefined))
  }

  state(): unknown {
    return this.isSet
  }
}

class RealEvent {
  readonly calls = new RealCalls()
  readonly event = new ThreadSafeEvent()

  state(): unknown {
    return this.event.isSet()
  }
}

type Command = Step<EventModel, RealEvent>
const command = (step: Command): fc.Arbitrary<Command> => fc.constant(step)

const COMMAND: readonly fc.Arbitrary<Command>[] = [
  command(
    sync(
      'set()',
      (model) => model.set(),
      ({ event }) => event.set(),
    ),
  ),
  command(
    sync(
      'clear()',
      (model) => model.clear(),
      ({ event }) => event.clear(),
    ),
  ),
  command(
    sync(
      'set() and clear()',
      (model) => (model.set(), model.clear()),
      ({ event }) => (event.set(), event.clear()),
    ),
  ),
  command(
    sync(
      'waitSync(0)',
      ({ isSet }) => value(isSet),
      ({ event }) => event.waitSync({ timeout: 0 }),
    ),
  ),
  command(
    new Step('wait()', (model, { calls, event }) => {
      calls.begin(model.wait(), (signal) => event.wait({ signal }))
    }),
  ),
  command(
    new Step('wait(1)', (model, real) => expiring(model, real, model.wait(), (timeout, signal) => real.event.wait({ timeout, signal }))),
  ),
  abort(),
]

const PARTNER_COMMAND: readonly fc.Arbitrary<Command>[] = [
  command(
    new Step('the other thread sets', async (model, { event }) => {
      await partner.told({ does: 'set', event: event.handle })
      model.set()
    }),
  ),
  command(
    new Step('the other thread clears', async (model, { event }) => {
      await partner.told({ does: 'clear', event: event.handle })
      model.clear()
    }),
  ),
  command(
    new Step('the other thread waits', async (_model, { event }) => void (await partner.told({ does: 'wait', event: event.handle }))),
  ),
  command(new Step('the other thread is killed', () => partner.kill())),
]

describe('the event does the same as its model, for random calls', function () {
  this.timeout(600_000)
  after(() => partner.kill())

  const make = (): { model: EventModel; real: RealEvent } => ({ model: new EventModel(), real: new RealEvent() })

  it('of one thread', () => compare(fc.constant(undefined), COMMAND, make))

  it('with a thread that is killed', () =>
    compare(fc.constant(undefined), [...COMMAND, ...PARTNER_COMMAND], make, { runs: Math.ceil(RUNS * PARTNER_SHARE) }))
})
