/** `npm run bench`: every case; `npm run bench -- NAME`: those whose name has that word; `--quick`: fewer rounds. */
import { parseArgs } from 'node:util'
import { type Case, machine, measure, table } from './harness.js'
import { oneThread } from './one-thread.js'
import { oneToOne } from './one-to-one.js'

const CASES: readonly Case[] = [oneThread, oneToOne]
const ROUNDS = 7
const QUICK_ROUNDS = 3

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean', default: false } }, allowPositionals: true })
const rounds = values.quick ? QUICK_ROUNDS : ROUNDS

console.log(machine())
for (const one of CASES.filter(({ name }) => positionals.every((word) => name.includes(word)))) {
  const figures = await measure(one, rounds)
  console.log(`\n${one.name}\n${one.unit}; median of ${rounds} runs, lowest - highest, times ours`)
  console.log(table(figures))
}
