/**
 * Four tasks wait for one event, which a signal handler sets. In each round one of them is
 * cancelled while it waits.
 */
import assert from 'node:assert/strict'
import { SignalTimer, ThreadSafeEvent } from 'threadsafe'
import { count, type Report } from './display.js'
import { type Example, runIfMain } from './example.js'

const TASKS = [0, 1, 2, 3]
const ROUNDS = 20
const INTERVAL = 100 // milliseconds

type Outcome = 'woken' | 'cancelled'

async function task(event: ThreadSafeEvent, signal: AbortSignal): Promise<Outcome> {
  try {
    await event.wait({ signal })
    return 'woken'
  } catch (error) {
    // Any other error than the one with which the task is cancelled is a bug, and must not be
    // hidden.
    if (error !== signal.reason) throw error
    return 'cancelled'
  }
}

async function run(report: Report): Promise<string> {
  const event = new ThreadSafeEvent()
  // The kernel sends a signal at the end of each interval, and the signal's handler sets the event.
  const timer = new SignalTimer(INTERVAL * 1000, event)
  const total = { woken: 0, cancelled: 0 }
  const wokenAt: number[] = []

  try {
    for (let round = 0; round < ROUNDS; round++) {
      const unlucky = round % TASKS.length
      const controllers = TASKS.map(() => new AbortController())
      const tasks = controllers.map(({ signal }) => task(event, signal))
      controllers[unlucky]?.abort()
      // If this process was slow, the event was set before the tasks began to wait, and it is too
      // late to cancel one.
      const tooLate = event.isSet()

      const outcomes = await Promise.all(tasks)
      wokenAt.push(performance.now())
      event.clear()

      for (const outcome of outcomes) total[outcome]++
      const expected = TASKS.map((n): Outcome => (n === unlucky ? 'cancelled' : 'woken'))
      if (!tooLate) assert.deepEqual(outcomes, expected, `round ${round + 1}`)
      report(`round ${round + 1} of ${ROUNDS}: ${outcomes.map((outcome, n) => `task ${n} ${outcome}`).join(', ')}`)
    }
  } finally {
    timer.stop()
  }

  const { received, delivered, dropped } = timer.stats()
  assert.equal(received, delivered + dropped)
  assert.ok(delivered >= ROUNDS, 'there were more rounds than signals')
  assert.equal(total.woken + total.cancelled, ROUNDS * TASKS.length)
  return `${ROUNDS} rounds, ${count(total.woken)} times woken, ${count(total.cancelled)} times cancelled; ${spacing(wokenAt)}`
}

function spacing(times: number[]): string {
  const offBy = times.slice(1).map((time, i) => Math.abs(time - (times[i] as number) - INTERVAL))
  return `${INTERVAL} ms apart, at most ${Math.max(...offBy).toFixed(2)} ms off`
}

export const fourTasks: Example = {
  name: 'event',
  shows: `Four tasks await one event, which a kernel timer's signal handler sets every ${INTERVAL} ms; each round one task is cancelled.`,
  run,
}

await runIfMain(import.meta.url, fourTasks)
