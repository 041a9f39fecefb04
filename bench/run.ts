/**
 * npm run bench -- [CASE...] [--quick] [--json FILE] [--compare OLD.json [NEW.json]] [--runtimes [PATH,PATH]] [--rounds N] [--list]
 *
 * Measures every case, or those whose id or title has one of the words. Prints a table for each and the goals at the end.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { changesText, compare } from './harness/compare.js'
import { describe, machine } from './harness/machine.js'
import { measure, type Settings } from './harness/measure.js'
import type { CaseResult, Result } from './report/result.js'
import { installRuntimes, type Runtime, runtimesAt } from './harness/runtimes.js'
import { caseTable, goalsTable } from './harness/tables.js'
import { cases } from './suite.js'

const THOROUGH = { rounds: 7, roundMilliseconds: 160, fewer: 1 }
const QUICK = { rounds: 3, roundMilliseconds: 80, fewer: 3 }

/** `--runtimes` may stand alone. */
const given = process.argv.slice(2).map((argument, k, all) => {
  return argument === '--runtimes' && !all[k + 1]?.includes('/') ? '--runtimes=' : argument
})

const { values: options, positionals } = parseArgs({
  args: given,
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    compare: { type: 'string' },
    runtimes: { type: 'string' },
    rounds: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

const log = (text: string) => process.stderr.write(`${text}\n`)
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Result

const words = positionals.filter((word) => !word.endsWith('.json')).map((word) => word.toLowerCase())
const newer = positionals.find((word) => word.endsWith('.json'))
const chosen = cases.filter(({ id, title }) => {
  return words.length === 0 || words.some((word) => id === word || id.includes(word) || title.toLowerCase().includes(word))
})

async function runtimes(): Promise<readonly Runtime[]> {
  if (options.runtimes === undefined) return []
  return options.runtimes === '' ? installRuntimes(log) : runtimesAt(options.runtimes.split(','))
}

async function run(): Promise<Result> {
  const where = machine()
  const settings: Settings = { ...(options.quick ? QUICK : THOROUGH), runtimes: await runtimes() }
  const rounds = options.rounds === undefined ? settings.rounds : Number(options.rounds)
  console.log(`${describe(where)}\n${rounds} rounds${options.quick ? ', quick' : ''}; medians; lower is better\n`)
  const results: CaseResult[] = []
  for (const [k, one] of chosen.entries()) {
    log(`[${k + 1}/${chosen.length}] ${one.id}`)
    const result = await measure(one, { ...settings, rounds })
    results.push(result)
    console.log(`${caseTable(result)}\n`)
  }
  const goals = goalsTable(results)
  if (goals) console.log(`## Goals\n\n${goals}\n`)
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
  return { version: 1, machine: where, command, rounds, quick: options.quick, cases: results }
}

if (options.list) {
  for (const { id, title, contenders } of chosen) console.log(`${id.padEnd(24)} ${title}: ${contenders.map((one) => one.id).join(', ')}`)
} else if (chosen.length === 0) {
  log(`No case has ${words.join(' or ')}; --list names them`)
  process.exitCode = 2
} else {
  const results = newer === undefined ? await run() : read(newer)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`)
  if (options.compare !== undefined) {
    const changes = compare(read(options.compare), results)
    console.log(changesText(changes))
    if (changes.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1
  }
}
