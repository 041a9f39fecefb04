/**
 * Shows what an example does: by one line that is rewritten on a terminal, by a plain line each
 * second elsewhere.
 */

/** Reports progress. Call it as often as you like; most calls show nothing. */
export type Report = (status: string) => void

const { stdout } = process
const ERASE_LINE = '\r\x1b[K'
const MILLISECONDS = stdout.isTTY ? 80 : 1000

let nextAt = performance.now() + MILLISECONDS

export const progress: Report = (status) => {
  const now = performance.now()
  if (now < nextAt) return
  nextAt = now + MILLISECONDS
  // A line that wraps could not be rewritten.
  if (stdout.isTTY) stdout.write(ERASE_LINE + `  ${status}`.slice(0, stdout.columns - 1))
  else console.log(`  ${status}`)
}

/** Prints a line that stays. */
export function line(text = ''): void {
  if (stdout.isTTY) stdout.write(ERASE_LINE)
  console.log(text)
}

/** Formats a whole number: 1,234,567. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
