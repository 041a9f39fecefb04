/**
 * fast-check, as all tests import it. Each run draws other values. A failure says which variables of
 * the environment repeat it.
 */
import fc from 'fast-check'

export { default } from 'fast-check'

const { FC_SEED, FC_PATH, FC_REPLAY_PATH } = process.env

/** For `fc.commands()`, which skips commands of its own accord: the seed and path don't say which. */
export const REPLAY: fc.CommandsContraints = FC_REPLAY_PATH === undefined ? {} : { replayPath: FC_REPLAY_PATH }

/** Throws what fast-check would throw, with the variables that repeat the failure. */
function report<T>(details: fc.RunDetails<T>): void {
  const message = fc.defaultReportMessage(details)
  if (message === undefined) return
  const variables = [`FC_SEED=${details.seed}`]
  if (details.counterexamplePath !== null) variables.push(`FC_PATH=${details.counterexamplePath}`)
  const [, replayPath] = /replayPath="([^"]*)"/.exec(message) ?? []
  if (replayPath !== undefined) variables.push(`FC_REPLAY_PATH=${replayPath}`)
  throw new Error(`${message}\n\nTo repeat it, run this test alone with ${variables.join(' ')}`, { cause: details.errorInstance })
}

fc.configureGlobal({
  reporter: report,
  ...(FC_SEED !== undefined && { seed: Number(FC_SEED) }),
  ...(FC_PATH !== undefined && { path: FC_PATH }),
})
