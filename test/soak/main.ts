/**
 * `npm run soak -- --minutes N` runs everything at once, at full load, for that long. N defaults to
 * 10 and may be a fraction. It prints a line each minute and a summary at the end. A violated
 * invariant is printed at once, and ends the process with status 1. SEED in the environment repeats
 * the random choices, though not how threads meet. `--built` says that the addon of
 * test/fixtures/addon has been built.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import { within } from '../support.js'
import { churn } from './churn.js'
import { kills } from './kills.js'
import { queues } from './queues.js'
import { buffers, contexts, SharedObjects, sharing, wakes } from './shared.js'
import { handlerWriters, nativeThreads, signals } from './signals.js'
import { pause, PATIENCE, Soak, violation } from './soak.js'
import { Workers } from './workers.js'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, built: { type: 'boolean', default: false } } })
const milliseconds = Number(values.minutes) * 60_000
if (!(milliseconds > 0)) throw new RangeError('usage: npm run soak -- --minutes N')

/**
 * Ends the process if the main loop stands still for long, which nothing else could report then.
 */
const rounds = new Int32Array(new SharedArrayBuffer(4))
const watchdog = new Worker(
  `const { workerData } = require('node:worker_threads')
   let last = -1, since = performance.now()
   setInterval(() => {
     const now = Atomics.load(workerData, 0)
     if (now !== last) { last = now; since = performance.now() }
     else if (performance.now() - since > ${PATIENCE}) {
       require('node:fs').writeSync(2, 'VIOLATION: the main thread is stuck\\n')
       process.kill(process.pid, 'SIGABRT')
     }
   }, 500)`,
  { eval: true, workerData: rounds },
)
watchdog.unref()

interface Resources {
  readonly minute: number
  readonly rss: number
  readonly heap: number
  readonly external: number
  /** GiB of address space; each object reserves about 10. */
  readonly reserved: number
  readonly threads: number
  readonly fds: number
}

function resources(): Resources {
  const { rss, heapUsed, external } = process.memoryUsage()
  const status = readFileSync('/proc/self/status', 'utf8')
  const threads = Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1])
  const reserved = Math.round(Number(/^VmSize:\s*(\d+) kB$/m.exec(status)?.[1]) / 2 ** 20)
  const MiB = (bytes: number): number => Math.round(bytes / 2 ** 20)
  const minute = Math.round((performance.now() - start) / 6000) / 10
  return {
    minute,
    rss: MiB(rss),
    heap: MiB(heapUsed),
    external: MiB(external),
    reserved,
    threads,
    fds: readdirSync('/proc/self/fd').length,
  }
}

const soak = new Soak(Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31)))
const shared = new SharedObjects()
const workers = new Workers(soak, shared.handles())
const parts = [
  queues(workers),
  kills(workers),
  sharing(shared, workers),
  buffers(shared, workers),
  wakes(shared, workers),
  contexts(),
  signals,
  nativeThreads,
  handlerWriters,
  churn,
]

if (!values.built) await buildNativeAddon()
console.log(`soak: ${values.minutes} minutes of ${parts.map(({ name }) => name).join(', ')}; SEED=${soak.seed}, Node ${process.version}`)
const start = performance.now()
const history: Resources[] = []
const beat = setInterval(() => Atomics.add(rounds, 0, 1), 100)
let items = 0

function report(): void {
  const now = resources()
  history.push(now)
  const all = [...soak.counts].filter(([name]) => name.startsWith('items of')).reduce((sum, [, count]) => sum + count, 0)
  const { minute, rss, heap, external, reserved, threads, fds } = now
  const killed = soak.counts.get('workers killed') ?? 0
  console.log(
    `${minute} min: ${all - items} items, ${killed} workers killed so far, rss ${rss} MiB, heap ${heap}, external ${external}, ${reserved} GiB reserved, ${threads} threads, ${fds} fds`,
  )
  items = all
}

const minutely = setInterval(report, 60_000)
const ended = new Map<string, boolean>()
const work = parts.map(async (part) => {
  try {
    await part.run(soak)
    if (soak.running) throw new Error('it ended before its time')
    ended.set(part.name, true)
  } catch (error) {
    violation(soak, part.name, error)
  }
})
await pause(milliseconds)
report()
clearInterval(minutely)
soak.running = false
workers.stop()
try {
  await within('the end of all parts', Promise.all(work), 2 * PATIENCE)
} catch (error) {
  violation(soak, `parts that do not end: ${parts.filter(({ name }) => !ended.has(name)).map(({ name }) => name)}`, error)
}

console.log('\n| count | |\n| --- | ---: |')
for (const [name, count] of [...soak.counts].sort()) console.log(`| ${name} | ${count} |`)
console.log('\n| latency, us | p50 | p90 | p99 | p99.9 | max |\n| --- | ---: | ---: | ---: | ---: | ---: |')
for (const [name, latencies] of [...soak.latencies].sort()) {
  const { p50, p90, p99, p999, max } = latencies.percentiles()
  console.log(`| ${name} | ${[p50, p90, p99, p999, max].map((value) => value.toFixed(0)).join(' | ')} |`)
}
console.log(
  '\n| minute | rss MiB | heap MiB | external MiB | reserved GiB | threads | fds |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
)
const every = Math.max(1, Math.ceil(history.length / 12))
for (const [k, { minute, rss, heap, external, reserved, threads, fds }] of history.entries()) {
  if (k % every === 0 || k === history.length - 1)
    console.log(`| ${minute} | ${rss} | ${heap} | ${external} | ${reserved} | ${threads} | ${fds} |`)
}
console.log('\nno violation')
clearInterval(beat)
await watchdog.terminate()
process.exit(0)
