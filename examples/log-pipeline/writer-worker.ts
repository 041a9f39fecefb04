/**
 * The thread that writes. It blocks while there are no lines, and ends when the queue is closed and
 * drained.
 */
import { workerData } from 'node:worker_threads'
import { QueueClosedError, ThreadSafeQueue, type QueueHandle } from 'threadsafe'
import { RotatingFile, type RotationOptions } from './rotating-file.js'

export interface WriterData {
  lines: QueueHandle<string>
  rotation: RotationOptions
}

/** The most lines in one write. The more there are, the less each of them costs. */
const BATCH = 500

const { lines: handle, rotation } = workerData as WriterData
const lines = ThreadSafeQueue.from(handle)
const file = new RotatingFile(rotation)

function nextBatch(): string[] | undefined {
  try {
    return lines.getManySync(BATCH, { block: true })
  } catch (error) {
    if (error instanceof QueueClosedError) return undefined
    throw error
  }
}

for (let batch = nextBatch(); batch; batch = nextBatch()) file.write(batch)
file.close()
