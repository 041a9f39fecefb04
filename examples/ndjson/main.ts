/**
 * Makes a file of newline-delimited JSON, 200 MB of a web server's log, and sums it up by path. One
 * thread does so, and a pool of workers that this thread helps, alternately.
 */
import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count } from '../display.js'
import { crunchAlone, crunchByPool } from './crunch.js'
import { generate } from './generate.js'
import type { Summary } from './summary.js'

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    workers: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) }, // and this thread
    rounds: { type: 'string', default: '5' },
  },
})

function positive(option: 'megabytes' | 'workers' | 'rounds'): number {
  const value = Number(options[option])
  if (!(value > 0 && value < Infinity)) throw new RangeError(`--${option} must be a number above 0, it is '${options[option]}'`)
  return value
}

const workers = Math.ceil(positive('workers'))
const rounds = Math.ceil(positive('rounds'))
const contenders = {
  'one thread': crunchAlone,
  'pool, by tokens': (file: string) => crunchByPool(file, workers, 'pool'),
  'pool, by bytes': (file: string) => crunchByPool(file, workers, 'bytes'),
}

const directory = mkdtempSync(join(tmpdir(), 'threadsafe-ndjson-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'access.ndjson')
const expected = generate(file, positive('megabytes') * 1e6)
const { size } = statSync(file)
const lines = [...expected.paths.values()].reduce((sum, { requests }) => sum + requests, 0)
console.log(`${count(size / 1e6)} MB, ${count(lines)} lines, ${workers} ${workers === 1 ? 'worker' : 'workers'} and this thread`)

async function measure(crunch: (file: string) => Promise<Summary>): Promise<number> {
  const start = performance.now()
  const found = await crunch(file)
  const milliseconds = performance.now() - start
  deepStrictEqual(sorted(found), sorted(expected))
  return milliseconds
}

const byKey = ([a]: [string | number, unknown], [b]: [string | number, unknown]): number => (a < b ? -1 : 1)
const sorted = ({ bad, paths, minutes }: Summary): unknown => ({ bad, paths: [...paths].sort(byKey), minutes: [...minutes].sort(byKey) })

// The contenders alternate, so that whatever else the machine does affects all of them.
const times = Object.keys(contenders).map((): number[] => [])
for (let round = 0; round < rounds; round++) {
  for (const [k, crunch] of Object.values(contenders).entries()) times[k]?.push(await measure(crunch))
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number
const [alone = NaN] = times.map(median)
for (const [k, name] of Object.keys(contenders).entries()) {
  const milliseconds = median(times[k] as number[])
  const speed = `${count(size / 1e3 / milliseconds)} MB/s`
  console.log(`${name.padEnd(16)}${count(milliseconds).padStart(7)} ms ${speed.padStart(10)}  ${(alone / milliseconds).toFixed(2)} x`)
}
