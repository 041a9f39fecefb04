/**
 * Sums up a web server's log: how many requests there were for each path, how many failed, how long
 * they took, and how many came in each minute.
 */

/** One line of the file. */
export interface Entry {
  /** The time of the request, as in ISO 8601. */
  time: string
  user: string
  path: string
  status: number
  bytes: number
  /** The duration in whole microseconds. */
  duration: number
  agent: string
}

/**
 * The sums of one path. They are whole numbers, so a sum does not depend on the order of its parts.
 */
export interface PathSummary {
  requests: number
  failed: number
  bytes: number
  /** At index k, the number of requests that took from 2^k up to 2^(k + 1) microseconds. */
  durations: number[]
}

const MINUTE = 60_000
const NEWLINE = 0x0a

/**
 * So many bytes at least are decoded at a time. The text of a whole block would be so large that
 * its memory comes from the system, and goes back, for each block.
 */
const PART = 2 ** 15

export class Summary {
  /** The number of lines that are not JSON, or not entries. */
  bad = 0
  readonly paths = new Map<string, PathSummary>()

  /** The number of requests, by the minute since 1970. */
  readonly minutes = new Map<number, number>()

  add({ time, path, status, bytes, duration }: Entry): void {
    const minute = Math.floor(Date.parse(time) / MINUTE)
    if (Number.isNaN(minute)) {
      this.bad++
      return
    }
    this.#addMinute(minute, 1)
    const sum = this.#path(path)
    sum.requests++
    if (status >= 500) sum.failed++
    sum.bytes += bytes
    const power = 31 - Math.clz32(duration)
    sum.durations[power] = (sum.durations[power] as number) + 1
  }

  /** Adds what another thread has found, which structured clone has turned into a plain object. */
  merge({ bad, paths, minutes }: Pick<Summary, 'bad' | 'paths' | 'minutes'>): void {
    this.bad += bad
    for (const [path, part] of paths) {
      const sum = this.#path(path)
      sum.requests += part.requests
      sum.failed += part.failed
      sum.bytes += part.bytes
      part.durations.forEach((count, power) => (sum.durations[power] = (sum.durations[power] as number) + count))
    }
    for (const [minute, count] of minutes) this.#addMinute(minute, count)
  }

  /** Adds the lines of a block. The last line may lack its newline. */
  addLines(block: Uint8Array): void {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start + PART)
      const end = newline < 0 ? bytes.length : newline + 1
      this.#addText(bytes.toString('utf8', start, end))
      start = end
    }
  }

  #addText(text: string): void {
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf('\n', start)
      const end = newline < 0 ? text.length : newline
      if (end > start) this.#addLine(text.slice(start, end))
      start = end + 1
    }
  }

  #addLine(line: string): void {
    let entry: unknown
    try {
      entry = JSON.parse(line)
    } catch {
      entry = undefined
    }
    if (isEntry(entry)) this.add(entry)
    else this.bad++
  }

  #path(path: string): PathSummary {
    let sum = this.paths.get(path)
    if (sum === undefined) this.paths.set(path, (sum = { requests: 0, failed: 0, bytes: 0, durations: new Array<number>(32).fill(0) }))
    return sum
  }

  #addMinute(minute: number, count: number): void {
    this.minutes.set(minute, (this.minutes.get(minute) ?? 0) + count)
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { time, path, status, bytes, duration } = value as Partial<Entry>
  return (
    typeof time === 'string' &&
    typeof path === 'string' &&
    typeof status === 'number' &&
    typeof bytes === 'number' &&
    typeof duration === 'number' &&
    duration >= 1
  )
}
