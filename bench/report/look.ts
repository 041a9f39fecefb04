/** The look of each contender in every plot: colour, symbol and dashes. */
import { figures } from './figures.js'
import { participants } from './chapters.js'
import type { CaseResult } from './result.js'

export interface Look {
  readonly colour: string
  readonly symbol: string
  readonly dashes: string
  readonly ours: boolean
}

export type Looks = ReadonlyMap<string, Look>

const SYMBOLS = ['square', 'triangle', 'diamond', 'hexagon', 'cross', 'wye', 'star'] as const
const DASHES = ['6 3', '2 3', '9 3 2 3', '12 4', '4 2', '1 2'] as const
export const COLOURS = 8

/**
 * Ours is a circle on a solid line. Colours, symbols and dashes repeat after different numbers of
 * contenders, so no two contenders share all three.
 */
export function looks(cases: readonly CaseResult[]): Looks {
  const mine = new Set(cases.flatMap((one) => figures(one).filter(({ ours }) => ours)).map(({ contender }) => contender.id))
  const result = new Map<string, Look>()
  let k = 0
  for (const { id } of participants(cases)) {
    if (mine.has(id)) {
      result.set(id, { colour: 'var(--ours)', symbol: 'circle', dashes: 'none', ours: true })
      continue
    }
    const symbol = SYMBOLS[k % SYMBOLS.length] as string
    const dashes = DASHES[k % DASHES.length] as string
    result.set(id, { colour: `var(--c${(k % COLOURS) + 1})`, symbol, dashes, ours: false })
    k++
  }
  return result
}

export function look(looks: Looks, id: string): Look {
  return looks.get(id) ?? { colour: 'currentColor', symbol: 'circle', dashes: 'none', ours: false }
}
