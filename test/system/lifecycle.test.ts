/**
 * The lifecycle matrix. Whatever a thread is in the middle of, and however it or the process ends,
 * nothing crashes, hangs or is left behind, and the exit code is the same as without the package.
 * Each cell is a process of its own.
 */
import { strict as assert } from 'node:assert'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import { STATES, type State } from '../fixtures/lifecycle-states.js'
import { type Outcome, runProcess, SHARE } from '../support.js'

interface Ending {
  /** The exit code of the process. */
  code: number | null
  signal?: NodeJS.Signals
  stdout?: string
  stderr?: RegExp
  /** Whether the worker ends by its own action, which it can't do while it is blocked. */
  isOwn?: boolean
  /** How the worker ends without the package. lifecycle-process.ts expects the same with it. */
  worker?: { code: number; error?: string }
}

const SURVIVES: Ending = { code: 0, stdout: 'end\n' }

const ENDINGS: Readonly<Record<string, Ending>> = {
  'its end': { ...SURVIVES, worker: { code: 0 } },
  'terminate()': { ...SURVIVES, worker: { code: 1 } },
  'terminate() of many, one after another': SURVIVES,
  'process.exit()': { ...SURVIVES, isOwn: true, worker: { code: 3 } },
  'an uncaught exception': { ...SURVIVES, isOwn: true, worker: { code: 1, error: 'uncaught' } },
  'its heap limit': { ...SURVIVES, isOwn: true, worker: { code: 1, error: 'ERR_WORKER_OUT_OF_MEMORY' } },
  'scripts whose time is up': { ...SURVIVES, isOwn: true, worker: { code: 0 } },
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

/** The number of cells that run at a time, as a cell mostly waits. */
const AT_ONCE = 4

/** Starts the cells in their order, a few at a time. Each is awaited by its test. */
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

describe('a worker without the package', function () {
  this.timeout(120_000)

  for (const [ending, { worker, code, signal, stderr }] of Object.entries(ENDINGS)) {
    const isOfProcess = stderr !== undefined || signal !== undefined || code === 7
    if ((!worker && !isOfProcess) || (signal && process.platform === 'win32')) continue
    it(`and ${ending}: codes are the same as with it`, async () => {
      const found = await runProcess('lifecycle-control', [ending], 60_000)
      assert.deepEqual({ code: found.code, signal: found.signal }, { code, signal: signal ?? null })
      assert.ok(stderr?.test(found.stderr) ?? true, found.stderr)
      if (worker) assert.deepEqual(JSON.parse(found.stdout), worker)
    })
  }
})

/** Chooses the cells of this run: all, or a random share of them. A failure names its cell. */
function isChosen(): boolean {
  return Math.random() < SHARE
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
        if (!isPossible(state, expected) || !isChosen()) continue
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
