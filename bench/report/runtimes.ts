/**
 * Separates the figures of other runtimes, which would crowd the plots with bars and lines that
 * hardly differ.
 */
import type { CaseResult, ContenderResult, Result } from './result.js'

/** Returns the contender's id without the runtime that is appended to it. */
export function contenderId({ id }: ContenderResult): string {
  return id.split('@')[0] as string
}

/** Returns the result without other runtimes. */
export function here(result: Result): Result {
  const cases = result.cases.map((one) => ({ ...one, contenders: one.contenders.filter(({ runtime }) => runtime === undefined) }))
  return { ...result, cases }
}

/**
 * Returns the cases that were measured on other runtimes, with the contenders that ran there, on
 * those runtimes and on this one. Only their medians are used.
 */
export function onRuntimes({ cases, machine }: Result): CaseResult[] {
  const thisOne = `Node ${machine.node.replace(/^v/, '')}`
  return cases.flatMap((one) => {
    const ids = new Set(one.contenders.filter(({ runtime }) => runtime !== undefined).map(contenderId))
    const contenders = one.contenders
      .filter((contender) => ids.has(contenderId(contender)))
      .map(({ id, name, version, unavailable, samples, runtime }) => ({
        id,
        name: runtime === undefined ? `${thisOne}: ${name}` : name,
        runtime: runtime ?? thisOne,
        ...(version !== undefined && { version }),
        ...(unavailable !== undefined && { unavailable }),
        samples,
      }))
    return contenders.length > 0 ? [{ ...one, id: `${one.id}-runtimes`, contenders, goals: [] }] : []
  })
}
