/** Turns the monitor's rows into lines of text of a given width. */

/** One queue at one moment. */
export interface Row {
  name: string
  capacity: number
  closed: boolean
  depth: number
  putsPerSecond: number
  getsPerSecond: number
  waitingPuts: number
  waitingGets: number
  /**
   * Items lost since the queue was created, by its overflow policy or by signal handlers that found
   * it full.
   */
  dropped: number
  /** Whether items were lost since the previous row. */
  dropping: boolean
}

export interface ViewOptions {
  columns: number
  colours: boolean
}

const HEADINGS = ['depth', 'in/s', 'out/s', 'waiting', 'dropped'] as const
const WIDTHS = [11, 7, 7, 8, 8]
const FIGURES = WIDTHS.reduce((sum, width) => sum + width, 0)
/** A name may take this share of the room beside the figures. The bar has the rest. */
const NAME_SHARE = 0.7
const RED = 31
const YELLOW = 33
const GREEN = 32
const BOLD = 1

/**
 * Returns a line of headings, then one for each queue. No line is longer than `columns`, provided
 * that is at least 60.
 */
export function table(rows: readonly Row[], { columns, colours }: ViewOptions): string[] {
  const room = Math.max(0, columns - FIGURES - 3)
  const nameWidth = Math.min(Math.max(5, ...rows.map(({ name }) => printable(name).length)), Math.floor(room * NAME_SHARE))
  const barWidth = Math.min(40, room - nameWidth)
  const paint = (code: number, text: string): string => (colours ? `\x1b[${code}m${text}\x1b[0m` : text)

  const headings = HEADINGS.map((heading, k) => heading.padStart(WIDTHS[k] as number)).join('')
  return [
    paint(BOLD, `${'queue'.padEnd(nameWidth)} ${' '.repeat(barWidth)} ${headings}`),
    ...rows.map((row) => {
      const figures = [
        `${short(row.depth)}/${short(row.capacity)}`,
        short(row.putsPerSecond),
        short(row.getsPerSecond),
        `${row.waitingPuts}p ${row.waitingGets}g`,
        short(row.dropped),
      ].map((text, k) => text.padStart(WIDTHS[k] as number))
      if (row.dropping) figures[4] = paint(RED, figures[4] as string)
      const fill = Math.min(1, row.depth / row.capacity)
      const colour = fill > 0.9 ? RED : fill > 0.5 ? YELLOW : GREEN
      const bar = row.closed && row.depth === 0 ? 'closed'.slice(0, barWidth).padEnd(barWidth) : paint(colour, meter(fill, barWidth))
      return `${fit(row.name, nameWidth).padEnd(nameWidth)} ${bar} ${figures.join('')}`
    }),
  ]
}

/** Returns the text without characters that control a terminal, cut to the width. */
export function fit(text: string, width: number): string {
  const clean = printable(text)
  return clean.length > width ? `${clean.slice(0, Math.max(0, width - 1))}…` : clean
}

function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}

/** Draws a bar in eighths of a character, so that one item in a hundred is visible. */
function meter(fill: number, width: number): string {
  const eighths = Math.ceil(fill * width * 8)
  const part = eighths % 8 === 0 ? '' : '▏▎▍▌▋▊▉'.charAt((eighths % 8) - 1)
  return `${'█'.repeat(eighths >> 3)}${part}`.padEnd(width, '·')
}

/** Formats a whole number in at most five characters. */
export function short(value: number): string {
  if (value < 99_999.5) return String(Math.round(value))
  if (value < 999_500) return `${Math.round(value / 1e3)}k`
  if (value < 99_950_000) return `${(value / 1e6).toFixed(1)}M`
  return `${Math.round(value / 1e6)}M`
}
