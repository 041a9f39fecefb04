/**
 * A signal handler produces samples. It keeps its pace of 1 kHz even while the event loop is
 * blocked for half a second at a time.
 */
import assert from 'node:assert/strict'
import { type SignalInfo, signalInfo, SignalTimer, ThreadSafeQueue } from 'threadsafe'
import { count, type Report } from './display.js'
import { type Example, runIfMain } from './example.js'

const INTERVAL = 1 // milliseconds
const BLOCKS = 4
const BLOCK = 500 // milliseconds
const CAPACITY = 4000 // for more than the longest block: a signal handler can't wait for room, so a full queue would drop ticks

async function run(report: Report): Promise<string> {
  using ticks = new ThreadSafeQueue(CAPACITY, { type: signalInfo })
  const timer = new SignalTimer(INTERVAL * 1000, ticks)
  const samples = new Samples()

  // Takes all ticks that have arrived, without waiting.
  async function takeAll(): Promise<void> {
    while (!ticks.empty()) samples.add(await ticks.get())
  }

  try {
    for (let block = 1; block <= BLOCKS; block++) {
      const before = samples.elapsed
      blockLoop(BLOCK)
      const found = ticks.qsize()
      await takeAll()
      assert.ok(samples.elapsed - before > 0.5 * BLOCK, `the ${found} ticks that were in the queue are not those of the last ${BLOCK} ms`)
      report(`block ${block}: ${found} found; ${samples.describe()}`)
    }
  } finally {
    timer.stop()
  }
  await takeAll()

  const { delivered, dropped } = timer.stats()
  assert.equal(dropped, 0, 'the queue was too short')
  assert.equal(samples.ticks, delivered, 'a tick was lost on its way')
  const off = samples.elapsed - samples.expirations * INTERVAL
  assert.ok(Math.abs(off) <= 2 * INTERVAL, `ticks and overruns differ from the time that passed by ${off.toFixed(2)} ms`)
  return `${samples.describe()} at most; none lost`
}

/** Statistics of the ticks so far, based on the time stamps that the signal handler gave them. */
class Samples {
  ticks = 0
  /** Ticks that the kernel merged into a later one. */
  overruns = 0
  /** Intervals that have passed since the first tick, by the timer's own count. */
  expirations = 0
  #first = 0n
  #last = 0n
  #earliest = 0
  #latest = 0

  add({ timestamp, overrun }: SignalInfo): void {
    assert.ok(timestamp > this.#last, 'two ticks have the same time, or are in the wrong order')
    if (this.ticks++ === 0) {
      this.#first = this.#last = timestamp
      return
    }
    this.overruns += overrun
    this.expirations += 1 + overrun
    this.#last = timestamp
    // The expirations for this tick include those that were merged into it while it was late. The
    // first of them is when it was due.
    const late = this.elapsed - (this.expirations - overrun) * INTERVAL
    this.#earliest = Math.min(this.#earliest, late)
    this.#latest = Math.max(this.#latest, late)
  }

  /** Milliseconds from the first tick to the last. */
  get elapsed(): number {
    return Number(this.#last - this.#first) / 1e6
  }

  describe(): string {
    const lateness = (this.#latest - this.#earliest).toFixed(2)
    return `${count(this.ticks)} ticks + ${count(this.overruns)} overruns in ${count(this.elapsed)} ms, ${lateness} ms late`
  }
}

/** Blocks the event loop, like a slow JSON.parse or a runaway regular expression. */
function blockLoop(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

export const sampling: Example = {
  name: 'sampling',
  shows: `A signal handler samples every ${INTERVAL} ms while the loop is blocked for ${BLOCK} ms at a time; merged ticks are counted.`,
  run,
}

await runIfMain(import.meta.url, sampling)
