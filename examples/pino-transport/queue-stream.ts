/**
 * A stream whose lines go through a queue to a worker, which writes them to the destination that a
 * module makes. It has the methods and events of thread-stream, so pino can use it in its place.
 */
import { EventEmitter, once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { type TransferListItem, Worker, type WorkerOptions } from 'node:worker_threads'
import { Lock, SharedRecord, ThreadSafeQueue, TimeoutError } from 'threadsafe'
import { type FlushRequest, type LinkData, PROGRESS, type Progress, type WorkerMessage } from './stream-link.js'

export interface QueueStreamOptions {
  /** The path or file URL of a module whose default export makes the destination. */
  filename: string
  /** The options that are passed to that export. */
  workerData?: Record<string, unknown>
  workerOpts?: WorkerOptions
  /**
   * Whether a write blocks while the queue is full. If not, the lines wait in this thread's memory.
   */
  sync?: boolean
  /** How many times 256 bytes the queue holds. */
  capacity?: number
}

type FlushCallback = (error?: Error) => void

const CAPACITY = 8192
const PIECE_BYTES = 256

/**
 * Lines are gathered into pieces of up to so many characters, as one put for each line would cost
 * more than all else. Longer lines are split, as the queue takes no item larger than itself.
 */
const PIECE_CHARACTERS = 16_384
/** So many pieces of the backlog are tried in one call. */
const CHUNK = 1000
const LEAST_CAPACITY = (PIECE_CHARACTERS * 3) / PIECE_BYTES + 1

/**
 * A thread that is blocked looks so often whether the worker lives, and waits so long for any
 * progress.
 */
const LOOK_MILLISECONDS = 50
const PATIENCE_MILLISECONDS = 10_000

export class QueueStream extends EventEmitter {
  readonly worker: Worker
  readonly #sync: boolean
  readonly #pieces: ThreadSafeQueue<string>
  readonly #progress = new SharedRecord<Progress>(PROGRESS)
  readonly #alive = new Lock()
  readonly #gone = new AbortController()
  readonly #flushes = new Map<number, FlushCallback>()
  /** The pieces that are not in the queue yet. Lines are added to the last. */
  #backlog: string[] = []
  /** How many pieces there have ever been, the backlog included. */
  #pieceCount = 0
  #flushCount = 0
  #pumping = false
  #needDrain = false
  #ready = false
  #ending = false
  #ended = false
  #finished = false
  #destroyed = false
  #closed = false
  #errored: Error | null = null
  #referenced = true

  constructor({ filename, workerData = {}, workerOpts = {}, sync = false, capacity = CAPACITY }: QueueStreamOptions) {
    super()
    if (!(capacity >= LEAST_CAPACITY)) throw new RangeError(`capacity must be at least ${LEAST_CAPACITY}, it is ${capacity}`)
    this.#sync = sync
    this.#pieces = new ThreadSafeQueue(capacity, { type: 'string', itemBytes: PIECE_BYTES, name: 'log' })
    const link: LinkData = {
      filename: filename.startsWith('file:') ? filename : pathToFileURL(filename).href,
      pieces: this.#pieces.handle,
      progress: this.#progress.handle,
      alive: this.#alive.handle,
      workerData: { $context: {}, ...workerData },
    }
    this.worker = new Worker(new URL('./stream-worker.js', import.meta.url), {
      name: 'queue-stream',
      ...workerOpts,
      trackUnmanagedFds: false,
      workerData: link,
    })
    this.worker.on('message', (message: WorkerMessage | null) => this.#onMessage(message))
    this.worker.on('error', (error: Error) => this.#destroy(error))
    this.worker.on('exit', (code) => this.#destroy(code === 0 ? null : new Error('the worker thread exited')))
    this.on('message', (message: unknown, transfer?: TransferListItem[]) => this.worker.postMessage(message, transfer))
  }

  get ready(): boolean {
    return this.#ready
  }
  get destroyed(): boolean {
    return this.#destroyed
  }
  get closed(): boolean {
    return this.#closed
  }
  get writable(): boolean {
    return !this.#destroyed && !this.#ending
  }
  get writableEnded(): boolean {
    return this.#ending
  }
  get writableFinished(): boolean {
    return this.#finished
  }
  get writableNeedDrain(): boolean {
    return this.#needDrain
  }
  get writableObjectMode(): boolean {
    return false
  }
  get writableErrored(): Error | null {
    return this.#errored
  }

  /**
   * Writes a line. It goes into the queue with the others of this iteration of the event loop.
   * Returns false if the queue is full: the line waits in memory, as all that follow, and 'drain'
   * tells when the last is in the queue. With `sync` each line goes at once, and blocks until there
   * is room.
   */
  write(data: string | Uint8Array): boolean {
    if (!this.writable) {
      const error = new Error(this.#destroyed ? 'the worker has exited' : 'the worker is ending')
      setImmediate(() => this.emit('error', error))
      return false
    }
    if (!this.#sync && this.#backlog.length === 0) setImmediate(() => void this.#pump())
    const text = typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
    const begun = text.length <= PIECE_CHARACTERS ? this.#gather(text) : this.#gatherAll(split(text))
    if (this.#sync) return this.#tryBlocking(() => this.#drainBacklog())
    if (begun) {
      this.#putBacklog(1)
      this.#needDrain = this.#backlog.length > 1
    }
    return !this.#needDrain
  }

  /** Calls back when the destination has taken all that was written before, and has flushed it. */
  flush(callback?: FlushCallback): void {
    if (callback) this.worker.ref()
    void this.#flush().then(
      () => this.#settleFlush(callback),
      (error: unknown) => this.#settleFlush(callback, error as Error),
    )
  }

  /** Blocks until the destination has taken all that was written before. */
  flushSync(): void {
    if (this.#destroyed) return
    this.#drainBacklog()
    this.#block(({ written }) => written >= this.#pieceCount)
  }

  /**
   * Blocks until the destination has closed, unless lines wait for room: then it ends after them.
   */
  end(): void {
    if (this.#destroyed) return
    this.#ending = true
    if (this.#putBacklog()) this.#end()
  }

  ref(): void {
    this.#referenced = true
    this.worker.ref()
  }

  unref(): void {
    this.#referenced = false
    if (this.#flushes.size === 0) this.worker.unref()
  }

  /** Adds text to the last piece, or begins another. Returns whether it did that. */
  #gather(text: string): boolean {
    const last = this.#backlog.length - 1
    if (last >= 0 && (this.#backlog[last] as string).length + text.length <= PIECE_CHARACTERS) {
      this.#backlog[last] += text
      return false
    }
    this.#backlog.push(text)
    this.#pieceCount++
    return true
  }

  #gatherAll(texts: Iterable<string>): boolean {
    for (const text of texts) this.#gather(text)
    return true
  }

  /**
   * Puts as much of the backlog into the queue as there is room for, except the last `kept` pieces.
   * Returns whether that was all.
   */
  #putBacklog(kept = 0): boolean {
    const end = this.#backlog.length - kept
    let start = 0
    while (start < end) {
      const chunk = this.#backlog.slice(start, Math.min(end, start + CHUNK))
      const count = this.#pieces.putManySync(chunk)
      start += count
      if (count < chunk.length) break
    }
    if (start > 0) this.#backlog = this.#backlog.slice(start)
    return start >= end
  }

  /**
   * Puts the backlog whenever the worker has made room, and keeps the event loop alive until the
   * destination has taken all that was written.
   */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (;;) {
        const { value, version } = this.#progress.readWithVersion()
        if (this.#putBacklog()) {
          this.#onRoom()
          if (this.#ended || value.written >= this.#pieceCount) break
        }
        await this.#progress.wait(version, { signal: this.#gone.signal })
      }
    } catch {
      // The worker is gone: whoever listens for 'error' is told.
    } finally {
      this.#pumping = false
    }
  }

  /** Called when everything that was written is in the queue. */
  #onRoom(): void {
    if (this.#ending) return this.#end()
    if (!this.#needDrain) return
    this.#needDrain = false
    process.nextTick(() => this.emit('drain'))
  }

  #drainBacklog(): void {
    if (this.#backlog.length > 0) this.#block(() => this.#putBacklog())
  }

  /** Blocks until the condition holds; throws if the worker dies or does nothing for long. */
  #block(condition: (progress: Progress) => boolean): void {
    for (let waited = 0; ; waited += LOOK_MILLISECONDS) {
      const { value, version } = this.#progress.readWithVersion()
      if (condition(value)) return
      if (value.failed) throw new Error('the destination has failed')
      if (value.started && !this.#alive.locked) throw new Error('the worker has exited')
      if (waited >= PATIENCE_MILLISECONDS) throw new Error(`the destination has taken nothing for ${PATIENCE_MILLISECONDS / 1000} s`)
      try {
        this.#progress.waitSync(version, { timeout: LOOK_MILLISECONDS })
        waited = 0
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error
      }
    }
  }

  #tryBlocking(call: () => void): boolean {
    try {
      call()
      return true
    } catch (error) {
      this.#destroy(error as Error)
      return false
    }
  }

  #end(): void {
    if (this.#ended || this.#destroyed) return
    this.#ended = true
    this.#tryBlocking(() => {
      this.#drainBacklog()
      this.#pieces.close()
      this.#block(({ ended }) => ended)
      process.nextTick(() => {
        this.#finished = true
        this.emit('finish')
      })
    })
  }

  async #flush(): Promise<void> {
    const target = this.#pieceCount
    const { signal } = this.#gone
    for (;;) {
      const { value, version } = this.#progress.readWithVersion()
      if (value.written >= target) break
      await this.#progress.wait(version, { signal })
    }
    signal.throwIfAborted()
    if (!this.#ready) await once(this, 'ready', { signal })
    const id = ++this.#flushCount
    await new Promise<void>((resolve, reject) => {
      this.#flushes.set(id, (error) => (error ? reject(error) : resolve()))
      this.worker.postMessage({ code: 'FLUSH', context: 'queue-stream', id } satisfies FlushRequest)
    })
  }

  #settleFlush(callback: FlushCallback | undefined, error?: Error): void {
    if (!this.#referenced && this.#flushes.size === 0) this.worker.unref()
    // Called outside the promise: an error of the callback is an uncaught exception.
    if (callback) process.nextTick(callback, error)
  }

  #onMessage(message: WorkerMessage | null): void {
    switch (message?.code) {
      case 'READY':
        this.#ready = true
        this.emit('ready')
        break
      case 'ERROR':
        this.#destroy(message.error)
        break
      case 'FLUSHED':
        this.#flushes.get(message.id)?.()
        this.#flushes.delete(message.id)
        break
      case 'EVENT':
        this.emit(message.name, ...(Array.isArray(message.args) ? (message.args as unknown[]) : [message.args]))
        break
      case 'WARNING':
        process.emitWarning(message.err)
        break
    }
  }

  #destroy(error: Error | null): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#errored = error
    this.#pieces.close({ discard: true })
    const reason = error ?? new Error('the worker has exited')
    this.#gone.abort(reason)
    for (const callback of this.#flushes.values()) callback(reason)
    this.#flushes.clear()
    if (error) setImmediate(() => this.emit('error', error))
    void this.worker.terminate().then(() => {
      setImmediate(() => {
        this.#closed = true
        this.emit('close')
      })
    })
  }
}

/** Pieces that a queue takes, none of which ends in the middle of a surrogate pair. */
function* split(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(text.length, start + PIECE_CHARACTERS)
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--
    yield text.slice(start, end)
    start = end
  }
}
