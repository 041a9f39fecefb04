/** Runs examples, which pass, fail, or are skipped. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { heading, line, outcome, paragraph, progress, type Report } from './display.js'

export interface Example {
  name: string
  /** One sentence that says what the example shows. */
  shows: string
  /** Resolves to its result, in one line. Rejects if what it shows does not hold. */
  run(report: Report): Promise<string>
}

/**
 * Milliseconds, far more than any example takes. A lost wake shows as an example that never ends.
 */
const TIME_LIMIT = 60_000

/** Runs the examples one after another. The exit code of the process is 1 if any of them fails. */
export async function runAll(examples: Example[]): Promise<void> {
  for (const example of examples) await runOne(example)
}

async function runOne({ name, shows, run }: Example): Promise<void> {
  heading(name)
  paragraph(shows)
  const watchdog = setTimeout(() => {
    outcome('✗', `${name}: not done after ${TIME_LIMIT / 1000} s`)
    process.exit(1)
  }, TIME_LIMIT)
  try {
    outcome('✓', `${name}: ${await run(progress)}`)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM') {
      outcome('-', `${name}: skipped, as ${message}`)
    } else {
      outcome('✗', `${name}: ${message}`)
      console.error(error)
      process.exitCode = 1
    }
  } finally {
    clearTimeout(watchdog)
  }
  line()
}

/** Runs the example if its module is what `node` was started with. */
export async function runIfMain(moduleUrl: string, example: Example): Promise<void> {
  const [, main] = process.argv
  if (main !== undefined && realpathSync(main) === fileURLToPath(moduleUrl)) await runAll([example])
}
