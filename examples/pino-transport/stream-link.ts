/** The handles that the two sides of a QueueStream share. */
import { type LockHandle, type QueueHandle, record, type RecordHandle } from 'threadsafe'

/** The worker's progress. The loop waits for changes of it, asynchronously or blocked. */
export const PROGRESS = record({
  /** Whether the worker holds the lock that it keeps for life. */
  started: 'boolean',
  /** The number of pieces that the destination has taken. */
  written: 'float64',
  /** Whether the destination has failed. A message says why. */
  failed: 'boolean',
  /** Whether the destination has closed. */
  ended: 'boolean',
})

export interface Progress {
  started: boolean
  written: number
  failed: boolean
  ended: boolean
}

export interface LinkData {
  /** The URL of the module whose default export makes the destination. */
  filename: string
  pieces: QueueHandle<string>
  progress: RecordHandle<Progress>
  /**
   * The worker holds this lock as long as it lives, so even a blocked thread can see whether it
   * does.
   */
  alive: LockHandle
  /** The options that are passed to that export. Transports look for them here. */
  workerData: unknown
}

/** A message to the worker: flush the destination. */
export interface FlushRequest {
  code: 'FLUSH'
  context: 'queue-stream'
  id: number
}

/** Messages from the worker. A transport may send EVENT and WARNING itself. */
export type WorkerMessage =
  | { code: 'READY' }
  | { code: 'ERROR'; error: Error }
  | { code: 'FLUSHED'; id: number }
  | { code: 'EVENT'; name: string; args: unknown }
  | { code: 'WARNING'; err: Error }
