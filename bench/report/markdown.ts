/** The report's figures as Markdown: all of them, and a few costs alone for the README. */
import { chapters } from './chapters.js'
import { OURS } from '../harness/case.js'
import { costs, type Rival } from './costs.js'
import { figures, measured, number, ratio, unit, verdict } from './figures.js'
import type { CaseResult, ContenderResult, Result } from './result.js'
import { contenderId, here, onRuntimes } from './runtimes.js'

export const BEGIN = '<!-- bench:begin -->'
export const END = '<!-- bench:end -->'

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ')
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map((_, k) => (k === 0 ? '---' : '---:')), ...rows.map((row) => row.map(cell))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function caseRow(one: CaseResult): string[] {
  const all = figures(one)
  const mine = all.find(({ ours }) => ours)
  const others = all
    .filter(({ ours }) => !ours)
    .map(({ contender, middle, ratio: times }) => `${contender.name} ${number(middle)}${times === undefined ? '' : ` (${ratio(times)})`}`)
  const missing = one.contenders.filter((contender) => contender.id !== OURS && !measured(contender)).map(({ name }) => `${name} –`)
  return [`${one.title}, ${unit(one)}`, mine ? `**${number(mine.middle)}**` : '–', [...others, ...missing].join(' · ')]
}

function runtimeCell(one: CaseResult, contender: ContenderResult | undefined): string {
  const figure = figures(one).find((figure) => figure.contender === contender)
  if (!figure) return '–'
  if (figure.ours) return `**${number(figure.middle)}**`
  return `${number(figure.middle)}${figure.ratio === undefined ? '' : ` (${ratio(figure.ratio)})`}`
}

/**
 * Shows a row for each contender that ran on other runtimes, and below the table the reasons why
 * others did not.
 */
function runtimesTable(result: Result): string | undefined {
  const cases = onRuntimes(result)
  const runtimes = [...new Set(cases.flatMap(({ contenders }) => contenders.map(({ runtime }) => runtime)))]
  const rows = cases.flatMap((one) =>
    [...new Set(one.contenders.map(contenderId))].map((id) => {
      const on = new Map(
        one.contenders.filter((contender) => contenderId(contender) === id).map((contender) => [contender.runtime, contender]),
      )
      const [first] = [...on.values()] as [ContenderResult]
      const name = first.name.replace(`${first.runtime}: `, '')
      return [`${one.title}: ${name}, ${unit(one)}`, ...runtimes.map((runtime) => runtimeCell(one, on.get(runtime)))]
    }),
  )
  const reasons = cases.flatMap(({ title, contenders }) =>
    contenders.flatMap(({ name, unavailable }) =>
      unavailable === undefined ? [] : [`- ${cell(title)}: ${cell(name)}: ${cell(unavailable)}`],
    ),
  )
  if (rows.length === 0) return undefined
  return [
    table(['other runtimes; in brackets: times ours on the same', ...runtimes.map(String)], rows),
    ...(reasons.length ? ['', ...reasons] : []),
  ].join('\n')
}

const STATES = { met: 'met', missed: '**missed**', 'not measured': 'not measured' } as const

function casesOf(result: Result): CaseResult[] {
  return chapters(result).flatMap(({ entries }) => entries.flatMap((entry) => (entry.kind === 'single' ? [entry.one] : entry.cases)))
}

function goalsTable(result: Result): string | undefined {
  const goals = casesOf(result).flatMap((one) =>
    one.goals.map((goal) => {
      const { text, measured: figure, limit, state } = verdict(goal, one)
      return [text, figure, limit, STATES[state]]
    }),
  )
  return goals.length > 0 ? table(['goal', 'measured', 'limit', ''], goals) : undefined
}

function machineOf({ machine }: Result): string {
  return `${machine.cpu}, ${machine.cores} cores, ${machine.os}, kernel ${machine.kernel}, Node ${machine.node.replace(/^v/, '')}, commit ${machine.commit}.`
}

/**
 * Names the packages of the other contenders, with their versions. A contender's name begins with
 * its package's.
 */
function packagesOf(result: Result): string {
  const others = casesOf(here(result)).flatMap(({ contenders }) => contenders.filter(({ id }) => !id.startsWith(OURS)))
  const named = others.flatMap(({ name, version }) => (version === undefined ? [] : [`${name.replace(/,.*/, '')} ${version}`]))
  return named.length > 0 ? ` Others: ${[...new Set(named)].sort().join(', ')}.` : ''
}

export function markdown(result: Result): string {
  const { rounds, quick, command } = result
  return [
    `${machineOf(result)} ` +
      `Medians of ${rounds} rounds that each run every contender once; lower is better; in brackets: times our cost in the same round, by the median of the rounds; –: can't do the case.${quick ? ' A quick run.' : ''} Made by \`${command}\`.${packagesOf(result)}`,
    table(['case', 'threadsafe', 'others'], casesOf(here(result)).map(caseRow)),
    runtimesTable(result),
    goalsTable(result),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n')
}

function rivalText(rival: Rival | undefined): string {
  return rival ? `${rival.figure} (${ratio(rival.times)}, ${rival.name})` : '–'
}

/** Returns the few costs that a reader of the README looks for. */
export function markdownCosts(result: Result): string {
  const rows = costs(here(result).cases).filter(({ short }) => short)
  return [
    table(
      ['', 'threadsafe', 'Node alone', 'another package'],
      rows.map(({ what, ours, node, other }) => [what, `**${ours}**`, rivalText(node), rivalText(other)]),
    ),
    machineOf(result),
  ].join('\n\n')
}

/** Returns `text` with the part between the markers replaced. */
export function replaceMarked(text: string, replacement: string): string {
  const from = text.indexOf(BEGIN)
  const to = text.indexOf(END)
  if (from < 0 || to < from) throw new Error(`the file has no lines ${BEGIN} and ${END} to put the table between`)
  return `${text.slice(0, from + BEGIN.length)}\n\n${replacement}\n\n${text.slice(to)}`
}
