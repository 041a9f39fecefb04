/**
 * npm run bench -- [CASE...] [--quick] [--json FILE] [--compare OLD.json [NEW.json]] [--runtimes
 * [PATH,PATH]] [--rounds N] [--list]
 *
 * Measures every case, or those whose id or title contains one of the words. Prints a table for
 * each, and the goals at the end. Exits with 1 if something became slower than in the result that
 * it is compared with, and with 2 if an argument is wrong.
 */
import { writeFileSync } from 'node:fs'
import { type Arguments, argumentsOf, BadArgument, commandOf, USAGE } from './arguments.js'
import { changesText, compare } from './harness/compare.js'
import { describe, machine } from './harness/machine.js'
import { measure, type Settings } from './harness/measure.js'
import { installRuntimes, type Runtime, runtimesAt } from './harness/runtimes.js'
import { caseTable, goalsTable } from './harness/tables.js'
import type { CaseResult, Result } from './report/result.js'

const THOROUGH = { rounds: 7, roundMilliseconds: 160, fewer: 1 }
const QUICK = { rounds: 3, roundMilliseconds: 80, fewer: 3 }

const log = (text: string) => process.stderr.write(`${text}\n`)

async function runtimesOf(paths: readonly string[] | undefined): Promise<readonly Runtime[]> {
  if (paths === undefined) return []
  if (paths.length === 0) return installRuntimes(log)
  try {
    return await runtimesAt(paths)
  } catch (error) {
    throw new BadArgument(`--runtimes: ${(error as Error).message}`)
  }
}

async function run({ cases, quick, rounds, runtimes }: Arguments): Promise<Result> {
  const where = machine()
  const chosen = quick ? QUICK : THOROUGH
  const settings: Settings = { ...chosen, rounds: rounds ?? chosen.rounds, runtimes: await runtimesOf(runtimes) }
  const summary = `${settings.rounds} ${settings.rounds === 1 ? 'round' : 'rounds'}${quick ? ', quick' : ''}; medians; lower is better`
  console.log(`${describe(where)}\n${summary}\n`)
  const results: CaseResult[] = []
  for (const [k, one] of cases.entries()) {
    log(`[${k + 1}/${cases.length}] ${one.id}`)
    const result = await measure(one, settings)
    results.push(result)
    console.log(`${caseTable(result)}\n`)
  }
  const goals = goalsTable(results)
  if (goals) console.log(`## Goals\n\n${goals}\n`)
  return { version: 1, machine: where, command: commandOf(process.argv.slice(2)), rounds: settings.rounds, quick, cases: results }
}

async function main(): Promise<void> {
  const asked = argumentsOf(process.argv.slice(2))
  if (asked.list) {
    for (const { id, title, contenders } of asked.cases)
      console.log(`${id.padEnd(26)} ${title}: ${contenders.map((one) => one.id).join(', ')}`)
    return
  }
  const result = asked.newer ?? (await run(asked))
  if (asked.json !== undefined) writeFileSync(asked.json, `${JSON.stringify(result, null, 1)}\n`)
  if (asked.older === undefined) return
  const changes = compare(asked.older, result)
  console.log(changesText(changes))
  if (changes.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  if (!(error instanceof BadArgument)) throw error
  log(`${error.message}\n${USAGE}`)
  process.exitCode = 2
}
