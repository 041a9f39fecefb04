/**
 * Awaits blocking functions: a synchronous query of an SQLite file and scryptSync run in the worker
 * of a Context. The timers of the main loop go on meanwhile.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Context, TimeoutError } from 'threadsafe'
import type * as jobs from './blocking-jobs.js'
import { count, type Report } from './display.js'
import { type Example, runIfMain } from './example.js'

const ROWS = 2_800
const SENSORS = 7
const TICK = 5 // milliseconds
const FEWEST_TICKS = 5 // while a job is under way, on a machine that is busy with other things

async function run(report: Report): Promise<string> {
  let ticks = 0
  const ticking = setInterval(() => ticks++, TICK)
  const directory = mkdtempSync(join(tmpdir(), 'threadsafe-'))
  try {
    // The worker starts with the first job, and `await using` ends it.
    await using context = new Context<typeof jobs>(new URL('./blocking-jobs.js', import.meta.url))

    async function timed<T>(what: string, job: Promise<T>): Promise<T> {
      const [start, before] = [performance.now(), ticks]
      const result = await job
      assert.ok(ticks - before >= FEWEST_TICKS, `${ticks - before} ticks while ${what} was under way`)
      found.push(`${what} took ${count(performance.now() - start)} ms and ${ticks - before} ticks`)
      report(found.join('; '))
      return result
    }

    const found: string[] = []
    if (isBuiltin('node:sqlite')) {
      const file = join(directory, 'samples.sqlite')
      await context.assign('fill', file, ROWS)
      const pairs = await timed('a query', context.assign('risingPairs', file))
      const perSensor = ROWS / SENSORS
      assert.equal(pairs.length, SENSORS)
      for (const one of pairs) assert.ok(one.pairs > 0 && one.pairs <= (perSensor * (perSensor - 1)) / 2)
    } else {
      found.push('SQLite is left out, as it comes with Node 22.5')
    }

    const [first, second] = await timed(
      'two keys',
      Promise.all(['salt', 'pepper'].map((salt) => context.assign('deriveKey', 'secret', salt))),
    )
    assert.notDeepEqual(first, second)

    // The promise of a job that is no longer wanted rejects at once. The next job comes after it.
    const late = context.run('deriveKey', ['secret', 'late'], { timeout: 20 })
    await assert.rejects(late, TimeoutError)
    return found.join('; ')
  } finally {
    clearInterval(ticking)
    rmSync(directory, { recursive: true })
  }
}

export const blocking: Example = {
  name: 'blocking',
  shows: 'Synchronous functions, a query and a key derivation, are awaited; the main loop ticks on.',
  run,
}

await runIfMain(import.meta.url, blocking)
