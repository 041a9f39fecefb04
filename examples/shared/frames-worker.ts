/** The three stages of frames.ts. Each is a thread, which blocks while it has no work. */
import assert from 'node:assert/strict'
import { workerData } from 'node:worker_threads'
import { deflateSync } from 'node:zlib'
import { BufferPool, QueueClosedError, ThreadSafeQueue } from 'threadsafe'
import { FRAMES, type FramesData, SIZE, type Stage } from './frames-plan.js'

/** The bytes of a frame that are encoded. Encoding the rest would only take time. */
const SAMPLE = 2 ** 17

const handles = workerData as FramesData
const pool = BufferPool.from(handles.pool)
const captured = ThreadSafeQueue.from(handles.captured)
const filtered = ThreadSafeQueue.from(handles.filtered)
const encoded = ThreadSafeQueue.from(handles.encoded)

const numberOf = (data: Uint8Array): number => new DataView(data.buffer, data.byteOffset).getUint32(0)

/** Yields what is in the queue until it is closed and drained. */
function* tokens(queue: ThreadSafeQueue<number, unknown>): Generator<number> {
  try {
    for (;;) yield queue.getSync({ block: true })
  } catch (error) {
    if (!(error instanceof QueueClosedError)) throw error
  }
}

const STAGES: Record<Stage, () => void> = {
  capture() {
    for (let frame = 0; frame < FRAMES; frame++) {
      // The camera waits here while all buffers are in use, which is the backpressure.
      const lease = pool.lendSync({ block: true })
      lease.data.fill(frame)
      new DataView(lease.data.buffer, lease.data.byteOffset).setUint32(0, frame)
      captured.putSync(lease.pass(), { block: true })
    }
    captured.close()
  },

  filter() {
    for (const token of tokens(captured)) {
      const lease = pool.take(token)
      const { data } = lease
      for (let k = 4; k < SIZE; k++) data[k] = 255 - (data[k] as number)
      filtered.putSync(lease.pass(), { block: true })
    }
    filtered.close()
  },

  encode() {
    for (const token of tokens(filtered)) {
      using lease = pool.take(token) // given back at the end of this block, however it ends
      const { data } = lease
      const frame = numberOf(data)
      assert.ok(
        data.subarray(4).every((pixel) => pixel === 255 - (frame & 255)),
        `frame ${frame} was written over while it was in hand`,
      )
      const { length } = deflateSync(data.subarray(0, SAMPLE))
      const { lent, passed } = pool.stats()
      encoded.putSync({ frame, bytes: length, ahead: lent + passed }, { block: true })
    }
    encoded.close()
  },
}

STAGES[handles.stage]()
