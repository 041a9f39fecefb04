/** Parses the command line, and checks it before anything is measured, as a run takes minutes. */
import { accessSync, constants } from 'node:fs'
import { basename, dirname, isAbsolute } from 'node:path'
import { parseArgs } from 'node:util'
import type { Case } from './harness/case.js'
import { read, type Result } from './report/result.js'
import { cases } from './suite.js'

export const USAGE =
  'usage: npm run bench -- [CASE...] [--quick] [--json FILE] [--compare OLD.json [NEW.json]] [--runtimes [PATH,PATH]] [--rounds N] [--list]'

/** The command for a report, whose readers have no use for the folders of the machine that ran it. */
export function commandOf(args: readonly string[]): string {
  const shown = args.map((argument) => (isAbsolute(argument) ? basename(argument) : argument))
  return ['npm run bench', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ')
}

/** An argument was wrong. The message names it. */
export class BadArgument extends Error {}

export interface Arguments {
  readonly cases: readonly Case[]
  readonly quick: boolean
  readonly list: boolean
  /** The number of rounds asked for. Undefined means the default of a quick or a full run. */
  readonly rounds: number | undefined
  readonly json: string | undefined
  /** The result to compare with, and the newer one. Without a newer one, the suite measures it. */
  readonly older: Result | undefined
  readonly newer: Result | undefined
  /** Paths of programs. An empty list means every runtime that can be installed. */
  readonly runtimes: readonly string[] | undefined
}

function parse(given: readonly string[]) {
  // `--runtimes` may stand alone.
  const args = given.map((argument, k) => (argument === '--runtimes' && !given[k + 1]?.includes('/') ? '--runtimes=' : argument))
  try {
    return parseArgs({
      args,
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
  } catch (error) {
    throw new BadArgument((error as Error).message)
  }
}

/** Returns what `get` returns. If it throws, adds the argument's name to the message. */
function of<T>(argument: string, get: () => T): T {
  try {
    return get()
  } catch (error) {
    throw new BadArgument(`${argument}: ${(error as Error).message}`)
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${text} is no whole number from 1`)
  return Number(text)
}

function chosen(words: readonly string[]): readonly Case[] {
  const has = ({ id, title }: Case, word: string) => id.includes(word.toLowerCase()) || title.toLowerCase().includes(word.toLowerCase())
  const unknown = words.find((word) => !cases.some((one) => has(one, word)))
  if (unknown !== undefined) throw new BadArgument(`${unknown}: no case has that in its id or title; --list names them`)
  return cases.filter((one) => words.length === 0 || words.some((word) => has(one, word)))
}

export function argumentsOf(given: readonly string[]): Arguments {
  const { values, positionals } = parse(given)
  const { json, compare, rounds, runtimes, quick, list } = values
  const results = positionals.filter((word) => word.endsWith('.json'))
  const words = positionals.filter((word) => !word.endsWith('.json'))
  const [newer, ...more] = results
  if (newer !== undefined && compare === undefined) throw new BadArgument(`${newer}: a result is for --compare OLD.json NEW.json`)
  if (more.length > 0) throw new BadArgument(`${more[0]}: one result at a time is compared with that of --compare`)
  if (newer !== undefined && words.length > 0) throw new BadArgument(`${words[0]}: nothing is measured when ${newer} is compared`)
  return {
    cases: chosen(words),
    quick,
    list,
    rounds: rounds === undefined ? undefined : of('--rounds', () => wholeNumber(rounds)),
    json: json && of('--json', () => writable(json)),
    older: compare === undefined ? undefined : of('--compare', () => read(compare)),
    newer: newer === undefined ? undefined : of('--compare', () => read(newer)),
    runtimes: runtimes?.split(',').filter((path) => path !== ''),
  }
}

function writable(file: string): string {
  accessSync(dirname(file), constants.W_OK)
  return file
}
