/**
 * The worker of a QueueStream. It makes the destination, and writes to it what comes through the
 * queue.
 */
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Lock, SharedRecord, ThreadSafeQueue } from 'threadsafe'
import type { FlushRequest, LinkData, WorkerMessage } from './stream-link.js'

/** The most pieces in one write to the destination. */
const BATCH = 1000

/** The stream that a transport returns: a Writable, a SonicBoom or something like them. */
interface Destination extends NodeJS.EventEmitter {
  write(text: string): boolean
  end(): void
  flush?: (callback?: (error?: Error | null) => void) => unknown
  flushSync?(): void
  readonly writableNeedDrain?: boolean
  readonly destroyed?: boolean
}

const link = workerData as LinkData
const pieces = ThreadSafeQueue.from(link.pieces)
const progress = SharedRecord.from(link.progress)

// The lock is never released. It becomes free when this thread ends, however it does.
const alive = Lock.from(link.alive).acquireSync()
progress.write({ started: alive !== undefined })

const send = (message: WorkerMessage): void => parentPort?.postMessage(message)

function fail(error: unknown): void {
  progress.write({ failed: true })
  send({ code: 'ERROR', error: error as Error })
}

/**
 * Loads the module. The default export of an ES module that was compiled to CommonJS is inside
 * another default export.
 */
async function load(): Promise<(options: unknown) => Destination | Promise<Destination>> {
  let found = (await import(link.filename)) as unknown
  for (let depth = 0; depth < 2 && typeof found === 'object' && found !== null; depth++) found = (found as { default?: unknown }).default
  if (typeof found !== 'function') throw new TypeError(`${link.filename} has no default export that is a function, but ${typeof found}`)
  return found as (options: unknown) => Destination
}

const build = await load()
const destination = await build(link.workerData)
const closed = new Promise<void>((resolve) => destination.once('close', resolve))
void closed.then(async () => {
  progress.write({ ended: true })
  await setImmediate() // messages that were sent get out
  process.exit(0)
})
destination.on('error', fail)

parentPort?.on('message', (message: Partial<FlushRequest> | null) => {
  if (message?.code !== 'FLUSH' || message.context !== 'queue-stream') return // it is for the transport
  flush().then(() => send({ code: 'FLUSHED', id: message.id as number }), fail)
})
send({ code: 'READY' })

for await (const batch of pieces.batches(BATCH)) {
  if (!destination.write(batch.join(''))) await drained()
  progress.write({ written: progress.read().written + batch.length })
  // Lets the destination, and messages, do their work. Meanwhile a larger batch gathers.
  await setImmediate()
}
destination.end()

async function drained(): Promise<void> {
  if (destination.destroyed) return
  await Promise.race([new Promise((resolve) => destination.once('drain', resolve)), closed])
}

/** Flushes the destination in whichever way it supports. */
async function flush(): Promise<void> {
  const { flush } = destination
  if (flush) {
    // A function without parameters returns a promise, or has flushed.
    if (flush.length === 0) return void (await flush.call(destination))
    await new Promise<void>((resolve, reject) => {
      const result = flush.call(destination, (error) => (error ? reject(error) : resolve()))
      if (result instanceof Promise) result.then(() => resolve(), reject)
    })
  } else if (destination.flushSync) {
    destination.flushSync()
  } else if (destination.writableNeedDrain) {
    await drained()
  }
}
