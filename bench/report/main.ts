/**
 * `node dist/bench/report/main.js RESULT.json [--html FILE] [--markdown FILE] [--costs FILE]` makes
 * the report of a run. The HTML goes to bench/report.html by default. In a Markdown file that
 * exists, the tables (or for `--costs` the README's few costs) replace what is between its markers.
 * A missing file is created.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { markdown, markdownCosts, replaceMarked } from './markdown.js'
import { page } from './page.js'
import { read } from './result.js'

const USAGE = 'usage: node dist/bench/report/main.js RESULT.json [--html FILE] [--markdown FILE] [--costs FILE]'

function main(): void {
  const { values, positionals } = parseArgs({
    options: { html: { type: 'string', default: 'bench/report.html' }, markdown: { type: 'string' }, costs: { type: 'string' } },
    allowPositionals: true,
  })
  const [input, ...rest] = positionals
  if (input === undefined || rest.length > 0) throw new Error(USAGE)
  const result = read(input)
  writeFileSync(values.html, page(result))
  console.log(`wrote ${values.html}`)
  if (values.markdown !== undefined) writeTables(values.markdown, markdown(result))
  if (values.costs !== undefined) writeTables(values.costs, markdownCosts(result))
}

function writeTables(file: string, tables: string): void {
  writeFileSync(file, existsSync(file) ? replaceMarked(readFileSync(file, 'utf8'), tables) : `${tables}\n`)
  console.log(`wrote ${file}`)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
