/** A terminal's second screen, which is left again however the process ends, except by SIGKILL. */
import type { WriteStream } from 'node:tty'

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l' // the second screen; no cursor; long lines are cut
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

const DEADLY = process.platform === 'win32' ? (['SIGINT', 'SIGBREAK'] as const) : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)

export class Screen {
  readonly #terminal: WriteStream
  readonly #redraw: () => void
  #entered = false

  /**
   * `redraw` is called when the screen has lost its content: after a resize, or a stop by Ctrl-Z.
   */
  constructor(terminal: WriteStream, redraw: () => void) {
    this.#terminal = terminal
    this.#redraw = redraw
    // Writes to a terminal are synchronous, so this works even while the process exits.
    process.on('exit', this.#leave)
    for (const signal of DEADLY) process.on(signal, this.#die)
    if (process.platform !== 'win32') process.on('SIGTSTP', this.#stop).on('SIGCONT', this.#continue)
    terminal.on('resize', redraw)
    this.#enter()
  }

  draw(lines: readonly string[]): void {
    if (!this.#entered) return
    // Overwrites the old content in a single write, so that the screen does not flicker.
    const text = lines.slice(0, this.#terminal.rows).join(`${CLEAR_LINE}\r\n`)
    this.#terminal.write(`${HOME}${text}${CLEAR_LINE}${CLEAR_BELOW}`)
  }

  close(): void {
    this.#leave()
    process.off('exit', this.#leave)
    for (const signal of DEADLY) process.off(signal, this.#die)
    if (process.platform !== 'win32') process.off('SIGTSTP', this.#stop).off('SIGCONT', this.#continue)
    this.#terminal.off('resize', this.#redraw)
  }

  readonly #enter = (): void => {
    if (!this.#entered) this.#terminal.write(ENTER)
    this.#entered = true
  }

  readonly #leave = (): void => {
    if (this.#entered) this.#terminal.write(LEAVE)
    this.#entered = false
  }

  /** Does what the signal would do without us, unless the program has a listener of its own. */
  readonly #die = (signal: NodeJS.Signals): void => {
    this.close()
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }

  readonly #stop = (): void => {
    this.#leave()
    process.kill(process.pid, 'SIGSTOP')
  }

  readonly #continue = (): void => {
    this.#enter()
    this.#redraw()
  }
}
