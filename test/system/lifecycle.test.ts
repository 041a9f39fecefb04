/**
 * The lifecycle matrix. Whatever a thread is in the middle of, and however it or the process ends,
 * there is no crash and no hang, nothing is left behind, and the exit code is the same as without
 * the package. Each cell is a process of its own.
 */
import { strict as assert } from 'node:assert'
import { buildNativeAddon } from '../fixtures/native-addon.js'
import { STATES, type State } from '../fixtures/lifecycle-states.js'
import { type Outcome, runProcess } from '../support.js'

interface Ending {
  code: number | null
  signal?: NodeJS.Signals
  stdout?: string
  stderr?: RegExp
  /** Whether the worker ends by its own action, so that it can't be blocked. */
  isOwn?: boolean
}

const SURVIVES: Ending = { code: 0, stdout: 'end\n' }

const ENDINGS: Readonly<Record<string, Ending>> = {
  'its end': SURVIVES,
  'terminate()': SURVIVES,
  'terminate() of many, one after another': SURVIVES,
  'process.exit()': { ...SURVIVES, isOwn: true },
  'an uncaught exception': { ...SURVIVES, isOwn: true },
  'its heap limit': { ...SURVIVES, isOwn: true },
  'scripts whose time is up': { ...SURVIVES, isOwn: true },
  'a collection of garbage': { ...SURVIVES, isOwn: true },
  'process.exit() in main': { code: 7 },
  'an uncaught exception in main': { code: 1, stderr: /uncaught in main/ },
  SIGTERM: { code: null, signal: 'SIGTERM' },
}

function isPossible(state: State, ending: Ending): boolean {
  const isWindows = process.platform === 'win32'
  if (ending.isOwn && state.blocks) return false
  return !(isWindows && (state.hasSignals || state.isNative || ending.signal))
}

/** Cells that run at a time: most of each is waiting. */
const AT_ONCE = 4

/** Starts the cells in their order, some at a time; each is awaited by its test. */
class Cells {
  readonly #outcomes = new Map<string, Promise<Outcome>>()
  readonly #starts: (() => Promise<void>)[] = []

  add(state: string, ending: string): void {
    const outcome = new Promise<Outcome>((resolve, reject) => {
      this.#starts.push(() => runProcess('lifecycle-process', [state, ending], 60_000).then(resolve, reject))
    })
    outcome.catch(() => undefined)
    this.#outcomes.set(`${state} ${ending}`, outcome)
  }

  start(): void {
    const goOn = async (): Promise<void> => {
      for (let next = this.#starts.shift(); next; next = this.#starts.shift()) await next()
    }
    for (let k = 0; k < AT_ONCE; k++) void goOn()
  }

  outcome(state: string, ending: string): Promise<Outcome> {
    return this.#outcomes.get(`${state} ${ending}`) as Promise<Outcome>
  }
}

describe('a worker in the middle of', function () {
  this.timeout(120_000)

  const cells = new Cells()

  before(async () => {
    await buildNativeAddon()
    cells.start()
  })

  for (const [name, state] of Object.entries(STATES)) {
    describe(name, () => {
      for (const [ending, expected] of Object.entries(ENDINGS)) {
        if (!isPossible(state, expected)) continue
        cells.add(name, ending)
        it(`and ${ending}`, async () => {
          const { code, signal, stdout, stderr } = await cells.outcome(name, ending)
          const found = { code, signal, stdout, stderr: expected.stderr?.test(stderr) ? '' : stderr }
          assert.deepEqual(found, { code: expected.code, signal: expected.signal ?? null, stdout: expected.stdout ?? '', stderr: '' })
        })
      }
    })
  }
})
