/** The few costs that decide between queues, each beside Node's own way and another package. */
import { median, pairedRatio } from '../harness/statistics.js'
import { measured, number, unit } from './figures.js'
import type { CaseResult, ContenderResult } from './result.js'

interface Choice {
  /** The task, in the reader's words. */
  readonly what: string
  readonly caseId: string
  readonly ours: string
  /** The contender that is Node's own way, by its `id`. */
  readonly node?: string
  /** The contender that is the best other package or function. */
  readonly other?: string
  /** Whether it is in the README's short table too. */
  readonly short?: true
}

export const CHOICES: readonly Choice[] = [
  {
    what: 'a number, worker to worker',
    caseId: 'one-to-one',
    ours: 'threadsafe',
    node: 'postMessage',
    other: 'ringbuf',
    short: true,
  },
  {
    what: 'a number, worker to event loop (`forEach`)',
    caseId: 'for-await',
    ours: 'threadsafe-for-each',
    node: 'postMessage',
    other: 'multithreading',
    short: true,
  },
  {
    what: 'a small object, worker to worker',
    caseId: 'object-small',
    ours: 'threadsafe',
    node: 'postMessage',
    other: 'sync-message-port',
    short: true,
  },
  {
    what: '64 KiB, worker to worker',
    caseId: 'buffer-65536',
    ours: 'threadsafe-into',
    node: 'postMessage-transfer',
    other: 'sync-message-port',
  },
  { what: '1 MiB lent and given back (`BufferPool`)', caseId: 'pool-round', ours: 'threadsafe', node: 'postMessage' },
  {
    what: 'a block of 128 numbers, each',
    caseId: 'blocks-one-to-one',
    ours: 'threadsafe-array',
    node: 'postMessage',
    other: 'ringbuf',
  },
  {
    what: 'round trip between workers that block',
    caseId: 'ping-pong-blocking',
    ours: 'threadsafe',
    node: 'postMessage',
    other: 'sync-message-port',
    short: true,
  },
  {
    what: 'waking an event loop on the same core',
    caseId: 'wake-loop-one-core',
    ours: 'threadsafe',
    node: 'postMessage',
    other: 'multithreading',
  },
  {
    what: 'waking an event loop on another core',
    caseId: 'wake-loop-two-cores',
    ours: 'threadsafe',
    node: 'postMessage',
    other: 'multithreading',
  },
  { what: 'a lock that is free', caseId: 'lock-uncontended', ours: 'threadsafe', other: 'async-mutex' },
  {
    what: 'a function called in a worker (`Context`)',
    caseId: 'context-one',
    ours: 'threadsafe',
    other: 'piscina',
    short: true,
  },
  { what: 'native thread to event loop', caseId: 'native-to-loop', ours: 'threadsafe', other: 'napi-tsfn' },
  { what: 'signal to event loop', caseId: 'signal-sent-to-loop', ours: 'threadsafe', node: 'process.on' },
]

export interface Rival {
  readonly name: string
  readonly figure: string
  /** Its cost as a multiple of ours. */
  readonly times: number
}

export interface Cost {
  readonly what: string
  readonly ours: string
  readonly node: Rival | undefined
  readonly other: Rival | undefined
  readonly short: boolean
}

function find(one: CaseResult, id: string | undefined): ContenderResult | undefined {
  return one.contenders.find((contender) => contender.id === id && measured(contender))
}

/** Returns the package or function alone: 'ringbuf.js' for 'ringbuf.js, push and pop'. */
function shortName({ name }: ContenderResult): string {
  return name.replace(/,.*/, '')
}

function rival(one: CaseResult, mine: ContenderResult, id: string | undefined): Rival | undefined {
  const contender = find(one, id)
  if (!contender) return undefined
  return { name: shortName(contender), figure: number(median(contender.samples)), times: pairedRatio(contender.samples, mine.samples) }
}

/** Returns the rows whose case was measured, in the order of the list. */
export function costs(cases: readonly CaseResult[]): Cost[] {
  return CHOICES.flatMap(({ what, caseId, ours, node, other, short }) => {
    const one = cases.find(({ id }) => id === caseId)
    const mine = one && find(one, ours)
    if (!one || !mine) return []
    const figure = `${number(median(mine.samples))} ${unit(one).replace(/\/.*/, '')}`
    return [{ what, ours: figure, node: rival(one, mine, node), other: rival(one, mine, other), short: short === true }]
  })
}
