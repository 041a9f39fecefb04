/**
 * The logger that the program's threads share: a queue of lines, and one thread that writes them.
 */
import { QueueClosedError, ThreadSafeQueue, type QueueHandle } from 'threadsafe'

/** About 100 KiB of lines: enough to ride out a slow fsync, little enough to be written at exit. */
const LINES = 1000
const LINE_BYTES = 100

export function createLines(): ThreadSafeQueue<string> {
  return new ThreadSafeQueue(LINES, { type: 'string', itemBytes: LINE_BYTES, name: 'log' })
}

/** One thread's access to the log. */
export class Logger {
  readonly #lines: ThreadSafeQueue<string>
  readonly #thread: string
  #accepted = 0

  constructor(lines: QueueHandle<string>, thread: string) {
    this.#lines = ThreadSafeQueue.from(lines)
    this.#thread = thread
  }

  /** The number of lines that were accepted. Each of them will be in the files. */
  get accepted(): number {
    return this.#accepted
  }

  /**
   * Logs one line. Blocks while the queue is full, so that a burst slows its thread down instead of
   * losing lines. Returns false once the log is closed; the line is then not in the files.
   */
  log(message: string): boolean {
    const line = `${new Date().toISOString()} ${this.#thread} ${message.replaceAll('\n', '\\n')}\n`
    try {
      this.#lines.putSync(line, { block: true })
    } catch (error) {
      if (error instanceof QueueClosedError) return false
      throw error
    }
    this.#accepted++
    return true
  }
}
