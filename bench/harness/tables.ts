/** Prints a result as Markdown. */
import { ours } from '../report/figures.js'
import type { CaseResult, ContenderResult, GoalResult } from '../report/result.js'
import { median, pairedRatio } from './statistics.js'

/** Three significant digits, or every digit before the decimal point. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-'
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] as string).length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k] as number) : cell.padStart(widths[k] as number))).join(' | ')} |`
  const rule = `| ${widths.map((width, k) => (k === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function nameOf({ name, version }: ContenderResult): string {
  return version ? `${name} (${version})` : name
}

function cells(contender: ContenderResult, ours: readonly number[]): string[] {
  const { samples, percentiles } = contender
  const middle = median(samples)
  const spread = `${short(Math.min(...samples))} - ${short(Math.max(...samples))}`
  const tail = percentiles ? [short(percentiles.p99)] : []
  const ratio = pairedRatio(samples, ours)
  return [nameOf(contender), short(middle), spread, ...tail, Number.isFinite(ratio) ? `${short(ratio)} x` : '-']
}

const BAR = 30

/** Histograms one below another, with the same bounds, so that their shapes can be compared. */
function histograms(unit: string, contenders: readonly ContenderResult[]): string[] {
  return contenders.flatMap(({ name, histogram }) => {
    if (!histogram?.length) return []
    const most = Math.max(...histogram.map(([, count]) => count))
    const rows = histogram.map(
      ([upTo, count]) =>
        `    <= ${String(upTo).padStart(6)} ${unit} ${String(count).padStart(7)} ${'#'.repeat(Math.ceil((BAR * count) / most))}`,
    )
    return ['', name, '', ...rows]
  })
}

export function caseTable(one: CaseResult): string {
  const { id, title, unit, kind, contenders } = one
  const oursOn = (runtime?: string) => ours(one, runtime)?.samples ?? []
  const measured = contenders.filter(({ unavailable }) => unavailable === undefined)
  const head = ['', kind === 'latency' ? `p50, ${unit}` : unit, 'lowest - highest', ...(kind === 'latency' ? ['p99'] : []), 'to ours']
  const lines = [`### ${title} (${id})`, '']
  if (measured.length) {
    lines.push(
      table(
        head,
        measured.map((contender) => cells(contender, oursOn(contender.runtime))),
      ),
    )
  }
  lines.push(...histograms(unit, measured))
  const remarks = contenders.flatMap((contender) => {
    const remark = contender.unavailable === undefined ? contender.note : `not measured: ${contender.unavailable}`
    return remark ? [`- ${contender.name}: ${remark}`] : []
  })
  if (remarks.length) lines.push('', ...remarks)
  return lines.join('\n')
}

function verdict({ measured, met }: GoalResult): string {
  if (measured === null) return 'NOT MEASURED'
  return met ? 'met' : 'MISSED'
}

export function goalsTable(cases: readonly CaseResult[]): string {
  const rows = cases.flatMap(({ id, unit, goals }) =>
    goals.map((goal) => {
      const suffix = goal.against === null ? ` ${unit}` : ''
      const measured = goal.measured === null ? '-' : `${short(goal.measured)}${suffix}`
      return [
        `${goal.text} (${id})`,
        `${goal.against === null ? '' : `to ${goal.against} `}<= ${short(goal.atMost)}${suffix}`,
        measured,
        verdict(goal),
      ]
    }),
  )
  return rows.length ? table(['goal', 'at most', 'measured', ''], rows) : ''
}
