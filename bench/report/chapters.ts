/** The order of the report: chapters by topology, each with its single cases and series. */
import { measured } from './figures.js'
import type { CaseResult, ContenderResult, Result, Topology } from './result.js'

export interface Single {
  readonly kind: 'single'
  readonly id: string
  readonly title: string
  readonly one: CaseResult
}

export interface Series {
  readonly kind: 'series'
  readonly id: string
  readonly title: string
  /** The cases, in rising order of the parameter. */
  readonly cases: readonly CaseResult[]
}

export type Entry = Single | Series

export interface Chapter {
  readonly id: string
  readonly title: string
  readonly entries: readonly Entry[]
  /** Readers choose between queues by this chapter, so its first case is shown open. */
  readonly decides: boolean
}

/** The titles of chapters. Topologies that have the same title share a chapter. */
const TITLES: Readonly<Partial<Record<Topology, string>>> = {
  'one thread': 'One thread',
  '1 to 1': 'One producer, one consumer',
  '4 to 1': 'Several producers or consumers',
  '1 to 4': 'Several producers or consumers',
  '4 to 4': 'Several producers or consumers',
  'ping-pong': 'Ping-pong',
  wake: 'Waking an event loop',
  objects: 'Objects and messages',
  blocks: 'Blocks',
  shared: 'Locks and pools of buffers',
  signal: 'Signal handler to event loop',
  native: 'Native threads',
  'many queues': 'Many queues',
  blocked: 'Blocked threads',
  jobs: 'Jobs in a worker',
  memory: 'Memory, and creating a queue',
  creation: 'Memory, and creating a queue',
}

const DECISIVE: ReadonlySet<Topology> = new Set(['one thread', '1 to 1', 'ping-pong', 'objects'])

export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** Returns the words with which every list begins. */
function beginning(words: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = words
  const differ = first.findIndex((word, k) => words.some((others) => others[k] !== word))
  return differ < 0 ? first : first.slice(0, differ)
}

/** Returns the words with which all titles of a series begin, or else those with which they end. */
function commonTitle(cases: readonly CaseResult[]): string {
  const words = cases.map(({ title }) => title.split(' '))
  const common = beginning(words)
  if (common.length === 0) {
    const end = beginning(words.map((title) => title.toReversed())).toReversed()
    return end.length > 0 ? `${end.join(' ')}, by ${cases[0]?.parameter?.name ?? ''}` : ''
  }
  return common
    .join(' ')
    .replace(/[\s,:;([{–-]+$/, '')
    .replace(/( (a|at|by|for|in|of|on|with))+$/, '')
}

function series(cases: readonly CaseResult[]): Series {
  const sorted = [...cases].sort((a, b) => (a.parameter?.value ?? 0) - (b.parameter?.value ?? 0))
  const name = sorted[0]?.series ?? ''
  return { kind: 'series', id: slug(name), title: commonTitle(sorted) || name, cases: sorted }
}

function entries(cases: readonly CaseResult[]): Entry[] {
  const groups = new Map<string, CaseResult[]>()
  for (const one of cases) {
    const key = one.series !== undefined && one.parameter ? `series ${one.series}` : `case ${one.id}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map((group) => {
    const [one] = group as [CaseResult]
    return group.length > 1 ? series(group) : { kind: 'single', id: slug(one.id), title: one.title, one }
  })
}

/** A whole series stands in the chapter of its first case. */
export function chapters({ cases }: Result): Chapter[] {
  const home = new Map<string, Topology>()
  for (const { series, topology } of cases) if (series !== undefined && !home.has(series)) home.set(series, topology)
  const topologyOf = ({ series, topology }: CaseResult) => (series === undefined ? topology : (home.get(series) ?? topology))
  const titleOf = (one: CaseResult) => TITLES[topologyOf(one)] ?? topologyOf(one)
  const titles = new Set([...Object.values(TITLES), ...cases.map(titleOf)])
  return [...titles]
    .map((title) => ({ title, members: cases.filter((one) => titleOf(one) === title) }))
    .filter(({ members }) => members.length > 0)
    .map(({ title, members }) => ({
      id: slug(title),
      title,
      entries: entries(members),
      decides: members.some((one) => DECISIVE.has(topologyOf(one))),
    }))
}

/** Returns the contenders, each once, in the order in which the suite names them. */
export function participants(cases: readonly CaseResult[]): ContenderResult[] {
  const known = new Map<string, ContenderResult>()
  for (const contender of cases.flatMap(({ contenders }) => contenders)) {
    const before = known.get(contender.id)
    if (!before || (!measured(before) && measured(contender))) known.set(contender.id, contender)
  }
  return [...known.values()]
}
