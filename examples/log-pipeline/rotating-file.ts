/** A log in several files, each of a limited size: app-000001.log, app-000002.log and so on. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const NAME = /^app-(\d{6,})\.log$/

export interface RotationOptions {
  directory: string
  /**
   * A file that has reached this size is followed by the next. No line is split between two files.
   */
  maxBytes: number
  /** The number of newest files to keep. */
  keep: number
  /**
   * Whether each batch of lines is written through to the disk before the next is taken, so that it
   * survives a power failure.
   */
  sync: boolean
}

export class RotatingFile {
  readonly #options: RotationOptions
  #file: number
  #number: number
  #size = 0

  /** Continues after the files that are already there. */
  constructor(options: RotationOptions) {
    this.#options = options
    mkdirSync(options.directory, { recursive: true })
    this.#number = 1 + Math.max(0, ...numbers(options.directory))
    this.#file = this.#open()
  }

  /** Writes the lines. Returns when the operating system has them or, with `sync`, the disk. */
  write(lines: readonly string[]): void {
    let rest = lines
    while (rest.length > 0) {
      if (this.#size >= this.#options.maxBytes) this.#rotate()
      const count = this.#fitting(rest)
      this.#writeAll(Buffer.from(rest.slice(0, count).join('')))
      rest = rest.slice(count)
    }
    if (this.#options.sync) fsyncSync(this.#file)
  }

  /** Closes the file once everything is on the disk. */
  close(): void {
    fsyncSync(this.#file)
    closeSync(this.#file)
  }

  /** Returns how many of the lines go into this file. The last of them fills it. */
  #fitting(lines: readonly string[]): number {
    let size = this.#size
    for (let k = 0; k < lines.length; k++) {
      size += Buffer.byteLength(lines[k] as string)
      if (size >= this.#options.maxBytes) return k + 1
    }
    return lines.length
  }

  /**
   * Writes all bytes. A single write may be partial, on a full disk or at a limit. The next one
   * then throws the reason.
   */
  #writeAll(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) start += writeSync(this.#file, bytes, start)
    this.#size += bytes.length
  }

  #rotate(): void {
    this.close()
    this.#number++
    this.#file = this.#open()
    this.#size = 0
    const { directory, keep } = this.#options
    for (const number of numbers(directory)) if (number <= this.#number - keep) rmSync(join(directory, name(number)), { force: true })
  }

  /** Opens a new file. One that already exists is another process's, so opening it fails. */
  #open(): number {
    return openSync(join(this.#options.directory, name(this.#number)), 'wx')
  }
}

function name(number: number): string {
  return `app-${String(number).padStart(6, '0')}.log`
}

function numbers(directory: string): number[] {
  return readdirSync(directory).flatMap((file) => Number(NAME.exec(file)?.[1] ?? []))
}
