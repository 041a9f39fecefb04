/**
 * Shows what an example does. On a terminal it uses colours and rewrites one line. Elsewhere it
 * prints a plain line each second.
 */
import { styleText } from 'node:util'

/** Reports progress. Call it as often as you like; most calls show nothing. */
export type Report = (status: string) => void

const { stdout } = process
const ERASE_LINE = '\r\x1b[K'
const MILLISECONDS = stdout.isTTY ? 80 : 1000
const INDENT = '  '

let nextAt = performance.now() + MILLISECONDS

export const progress: Report = (status) => {
  const now = performance.now()
  if (now < nextAt) return
  nextAt = now + MILLISECONDS
  // A line that wraps could not be rewritten.
  const [fits = ''] = wrapped(status)
  if (stdout.isTTY) stdout.write(ERASE_LINE + colour('dim', INDENT + fits))
  else console.log(INDENT + status)
}

/** Prints a heading. */
export function heading(text: string): void {
  line(colour('bold', text))
}

/** Prints a sentence, on as many lines as it needs. */
export function paragraph(text: string): void {
  for (const part of wrapped(text)) line(INDENT + part)
}

/** Prints how an example ended: a coloured mark, and the text beside it. */
export function outcome(mark: '✓' | '✗' | '-', text: string): void {
  const colours = { '✓': 'green', '✗': 'red', '-': 'yellow' } as const
  const [first = '', ...rest] = wrapped(text)
  line(`${colour(colours[mark], mark)} ${first}`)
  for (const part of rest) line(INDENT + part)
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

function colour(format: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string): string {
  return stdout.isTTY && stdout.hasColors() ? styleText(format, text) : text
}

/**
 * Splits the text into lines of whole words that fit the terminal beside the indent. Elsewhere it
 * stays one line.
 */
function wrapped(text: string): string[] {
  if (!stdout.isTTY) return [text]
  const width = stdout.columns - INDENT.length - 1
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
