/** The producing end of a queue as a Node stream. */
import { Writable } from 'node:stream'
import { invalidType } from '../errors.js'
import { checkObject } from '../wait/options.js'
import type { ThreadSafeQueue } from './typed-queue.js'

/** Options of `queue.writable()`. */
export interface QueueWritableOptions {
  /**
   * Close the queue when the stream ends or is destroyed, so that consumers come to an end.
   * Default: true.
   */
  close?: boolean | undefined
  /**
   * The number of chunks that the stream takes beyond those in the queue before `write()` returns
   * false. Default: 16, as for all streams of objects.
   */
  highWaterMark?: number | undefined
}

class QueueWritable extends Writable {
  readonly #queue: ThreadSafeQueue<unknown, unknown>
  readonly #close: boolean
  /** Ends a put that waits when the stream is destroyed. */
  readonly #destroyed = new AbortController()

  constructor(queue: ThreadSafeQueue<unknown, unknown>, close: boolean, highWaterMark: number | undefined) {
    // Strings stay strings, and each chunk is an item.
    super({ objectMode: true, decodeStrings: false, highWaterMark })
    this.#queue = queue
    this.#close = close
  }

  override _write(item: unknown, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#put(item).then(() => done(), done)
  }

  override _writev(chunks: { chunk: unknown }[], done: (error?: Error | null) => void): void {
    this.#putMany(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#close) this.#queue.close()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#destroyed.abort()
    if (this.#close) this.#queue.close()
    done(error)
  }

  #put(item: unknown): Promise<void> {
    return this.#queue.put(item, { signal: this.#destroyed.signal })
  }

  // A batch with a bad item is refused as a whole. Then each item is put on its own, as if it had
  // been written alone.
  async #putMany(items: unknown[]): Promise<void> {
    try {
      await this.#queue.putMany(items, { signal: this.#destroyed.signal })
    } catch (error) {
      for (const item of items.slice((error as { count?: number }).count ?? 0)) await this.#put(item)
    }
  }
}

export function queueWritable(queue: ThreadSafeQueue<unknown, unknown>, options: QueueWritableOptions | undefined): Writable {
  checkObject('options', options)
  const { close = true, highWaterMark } = options ?? {}
  if (typeof close !== 'boolean') throw invalidType('options.close', 'a boolean', close)
  return new QueueWritable(queue, close, highWaterMark)
}
