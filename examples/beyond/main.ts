/**
 * Makes a file of newline-delimited JSON and sums it up: in this process, over local queues, and in
 * four processes, over a server, which are killed at random. Both must find the same.
 */
import { deepStrictEqual } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { count } from '../display.js'
import { generate } from '../ndjson/generate.js'
import { Kept } from './kept.js'
import { type Place, PLACES } from './places.js'
import { runProcesses } from './processes.js'
import { crunch, read, type Sums, total } from './stages.js'

const { values: options } = parseArgs({
  options: {
    over: { type: 'string', default: 'redis' },
    megabytes: { type: 'string', default: '20' },
    kills: { type: 'string', default: '10' },
  },
})
if (!['redis', 'nats'].includes(options.over)) throw new RangeError(`--over must be redis or nats, it is '${options.over}'`)
const megabytes = Number(options.megabytes)
if (!(megabytes > 0 && megabytes < Infinity)) throw new RangeError(`--megabytes must be a number above 0, it is '${options.megabytes}'`)

const directory = mkdtempSync(join(tmpdir(), 'threadsafe-beyond-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'access.ndjson')
const run = basename(directory)
generate(file, megabytes * 1e6)

async function runHere(): Promise<Sums> {
  const { blocks, parts } = await PLACES.here()
  const kept = <T>(name: string) => new Kept<T>(join(directory, `here.${name}`))
  const [, , sums] = await Promise.all([read(file, blocks, kept('checkpoint')), crunch(blocks, parts), total(parts, kept('ledger'))])
  return sums
}

let killsLeft = Number(options.kills)
function killSoon(child: ChildProcess): void {
  const timer = setTimeout(() => {
    if (killsLeft > 0 && child.kill('SIGKILL')) killsLeft--
  }, 500 * Math.random())
  child.once('exit', () => clearTimeout(timer))
}

const sorted = ({ bad, paths, minutes }: Sums): unknown => ({ bad, paths: [...paths].sort(), minutes: [...minutes].sort() })

async function timed(name: string, work: () => Promise<Sums>): Promise<unknown> {
  const start = performance.now()
  const sums = await work()
  const requests = [...sums.paths.values()].reduce((sum, { requests }) => sum + requests, 0)
  console.log(`${name.padEnd(26)}${count(requests).padStart(10)} requests ${count(performance.now() - start).padStart(8)} ms`)
  return sorted(sums)
}

const here = await timed('one process', runHere)
const there = await timed(`four processes over ${options.over}`, () =>
  runProcesses({ over: options.over as Place, run, file, directory, atWork: killSoon }),
)
await (await PLACES[options.over as Place](run)).remove()
deepStrictEqual(there, here)
console.log(`${Number(options.kills) - killsLeft} kills, and the same sums`)
