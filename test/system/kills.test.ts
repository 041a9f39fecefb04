/**
 * Workers are terminated at random instants, in the middle of everything that the package does:
 * while they start, while they load it, and in each kind of call of each object. Nothing gets stuck
 * or lost, and each object is as good as new afterwards.
 */
import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { collectGarbage } from '../fixtures/garbage.js'
import { KINDS, type Task } from '../fixtures/kills-objects.js'
import { NATIVE, SIGNALS } from '../fixtures/kills-outside-roles.js'
import { CONSUMERS, HELD, PRODUCERS } from '../fixtures/kills-queue-roles.js'
import { CONTEXT, EVENT, LOCK, MESSAGE, POOL, RECORD } from '../fixtures/kills-shared-roles.js'
import { type Held, Toll } from '../fixtures/kills-toll.js'
import { nativeAddon } from '../fixtures/native-addon.js'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import { random, startWorker, until, within } from '../support.js'
import { Audit } from './kills-audit.js'

const KILLS = Number(process.env.KILLS ?? 30)
const SEED = Number(process.env.KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31))
/** As many as kills may come at once. More would slow down each other's start. */
const AT_ONCE = 3
const KILLS_UNTIL_QUIET = 14
/** The share of workers that use what most others use at that time, so that they meet. */
const FOCUSED = 0.8
/** The share of workers that are killed in their roles. Others may be killed while they start. */
const BEGUN = 0.85
const PATIENCE = 30_000
/** With fewer kills, memory depends on what was used for the first time. */
const FEWEST_FOR_MEMORY = 1000

const isWindows = process.platform === 'win32'

/** The roles, grouped by what they use. */
const SUBJECTS: readonly (readonly string[])[] = [
  ...KINDS.map(() => [...CONSUMERS, ...PRODUCERS]),
  EVENT,
  RECORD,
  MESSAGE,
  LOCK,
  POOL,
  CONTEXT,
  ...(isWindows ? [] : [SIGNALS, NATIVE]),
]

const HELD_IN: ReadonlyMap<string, Held> = new Map(Object.entries(HELD))
const PASSING: ReadonlySet<string> = new Set<string>(['pass', 'take'])

/** Node forgets to close the modules that a worker is reading when it is terminated. */
function isModule(file: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${file}`).endsWith('.js')
  } catch {
    // This was the descriptor of the directory itself, which is closed by now.
    return true
  }
}

function resources(): { threads: number; files: number; mappings: number } {
  if (process.platform !== 'linux') return { threads: 0, files: 0, mappings: 0 }
  return {
    threads: readdirSync('/proc/self/task').length,
    files: readdirSync('/proc/self/fd').filter((file) => !isModule(file)).length,
    mappings: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
  }
}

describe(`${KILLS} workers that are terminated at random (KILLS_SEED=${SEED})`, () => {
  const workers = new Map<Worker, string>()
  before(async function () {
    this.timeout(120_000)
    if (isWindows) return
    await buildNativeAddon()
    // Main loads the addon too: its threads run on when a worker ends, and Node unloads an addon
    // that no isolate has loaded.
    nativeAddon()
  })
  afterEach(async () => {
    await Promise.all([...workers.keys()].map((worker) => worker.terminate()))
  })

  it('leave nothing stuck, lose nothing, and leave each object exactly usable', async function () {
    this.timeout(60_000 + KILLS * 1000)
    const chance = random(SEED)
    const below = (limit: number): number => Math.floor(chance() * limit)
    const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T
    const audit = new Audit()
    let kills = 0
    let hand = 0
    /** The roles of the workers that were killed since the last audit. */
    let killed: string[] = []
    let toll = new Toll(KINDS.length)
    const failures: unknown[] = []
    const tasks = new WeakMap<Worker, Task>()
    const subjects = (): number => (chance() < 0.4 ? below(KINDS.length) : KINDS.length + below(SUBJECTS.length - KINDS.length))

    const start = (role: string, pick = 0): Worker => {
      const task: Task = { role, objects: audit.objects, pick, hand: hand++, seed: below(2 ** 31) }
      const worker = startWorker('kills-worker', task)
      worker.on('error', (error) => failures.push(`${role}: ${(error as Error).stack}`))
      workers.set(worker, role)
      tasks.set(worker, task)
      return worker
    }
    const end = async (worker: Worker): Promise<void> => {
      const { role, pick } = tasks.get(worker) as Task
      await within(`the end of a worker in the role "${role}"`, worker.terminate(), PATIENCE)
      kills++
      killed.push(role)
      toll.add(HELD_IN.get(role) ?? {}, pick)
      workers.delete(worker)
    }
    /**
     * Runs workers for a while that mainly use the same objects, in different ways, then audits.
     */
    const time = async (): Promise<void> => {
      const focus = [subjects(), subjects()]
      const victims: Worker[] = []
      const steady = [start('steady'), start('blocked')]
      for (const limit = kills + KILLS_UNTIL_QUIET; kills < limit;) {
        while (victims.length < AT_ONCE) {
          const subject = chance() < FOCUSED ? oneOf(focus) : subjects()
          victims.push(start(oneOf(SUBJECTS[subject] as readonly string[]), subject < KINDS.length ? subject : below(KINDS.length)))
        }
        const several = chance() < 0.2 ? 1 + below(3) : 1
        const chosen = Array.from({ length: several }, () => victims.splice(below(victims.length), 1)[0] as Worker)
        if (chance() < BEGUN) {
          const begun = (): boolean => chosen.every((worker) => audit.begun[tasks.get(worker)?.hand as number] === 1)
          await until('workers in their roles', () => begun() || failures.length > 0, PATIENCE)
        }
        await new Promise((resolve) => setTimeout(resolve, below(20)))
        await Promise.all(chosen.map(end))
      }
      // The loop with the lowest doorbell is rung first. It may be dying, and must then pass the
      // item on to the others, which have just started.
      audit.putOneInEach()
      const others = [start('steady'), start('blocked')]
      await Promise.all([...steady, ...victims].map(end))
      await audit.wakesThoseWhoWait()
      await Promise.all(others.map(end))
      assert.deepEqual(failures, [])
      await audit.isExact(toll, killed.filter((role) => PASSING.has(role)).length)
      killed = []
      toll = new Toll(KINDS.length)
      hand = 0
    }
    /** Returns the process's threads, files, mappings and memory when no worker runs. */
    const held = async (): Promise<ReturnType<typeof resources> & { megabytes: number }> => {
      for (let k = 0; k < 3; k++) {
        collectGarbage()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return { ...resources(), megabytes: Math.round(process.memoryUsage.rss() / 2 ** 20) }
    }

    let early: Awaited<ReturnType<typeof held>> | undefined
    try {
      while (kills < KILLS) {
        await time()
        if (kills >= KILLS / 2) early ??= await held()
      }
    } catch (error) {
      const now = [...workers.values(), ...killed.map((role) => `(${role})`)].join(', ')
      throw new Error(`KILLS_SEED=${SEED}, kill ${kills}, at work (or killed since the last audit): ${now}. ${failures.join('\n')}`, {
        cause: error,
      })
    } finally {
      audit.end()
    }
    const { lost, allowed } = audit.losses
    console.log(`      ${lost} items were lost, and the workers held at most ${allowed}`)
    if (KILLS < FEWEST_FOR_MEMORY || !early) return
    const first = early
    await until('the threads of those that are gone to end', () => resources().threads <= first.threads)
    // In the first half the heap's young generation and the allocator's arenas grow to what they
    // need. Later the memory goes up and down by 30 MiB or so. A leak stays, where threads of V8 may
    // take a while to free memory.
    let last = await held()
    const isFlat = (): boolean => {
      const grown = Math.max(0, last.megabytes - first.megabytes)
      // Each page of V8's heap, of 256 KiB, may be a mapping of its own.
      return last.files <= first.files && last.mappings <= first.mappings * 1.1 + 20 + 4 * grown && grown <= 50
    }
    for (const end = performance.now() + PATIENCE; !isFlat() && performance.now() < end;) last = await held()
    const text = `after half of the kills ${JSON.stringify(first)}, at the end ${JSON.stringify(last)}`
    console.log(`      ${text}`)
    assert.ok(isFlat(), text)
  })
})
