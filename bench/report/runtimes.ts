/**
 * Figures of other runtimes are reported separately. Among the rest they would be a crowd of bars
 * and lines that differ little.
 */
import type { CaseResult, ContenderResult, Result } from './result.js'

/** The contender's id, which has the runtime's behind it where it was measured on another. */
export function contenderId({ id }: ContenderResult): string {
  return id.split('@')[0] as string
}

/** The result without other runtimes. */
export function here(result: Result): Result {
  const cases = result.cases.map((one) => ({ ...one, contenders: one.contenders.filter(({ runtime }) => runtime === undefined) }))
  return { ...result, cases }
}

/**
 * The cases in which other runtimes took part, with the contenders that ran on them, there and on
 * this one. Only their medians are used.
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
