/**
 * The worker of echo.ts: synchronous code, which has no event loop to go back to and so may block.
 */
import { workerData } from 'node:worker_threads'
import { QueueClosedError, type QueueHandle, ThreadSafeQueue } from 'threadsafe'

export interface EchoQueues {
  requests: QueueHandle<number>
  replies: QueueHandle<number>
}

const handles = workerData as EchoQueues
const requests = ThreadSafeQueue.from(handles.requests)
const replies = ThreadSafeQueue.from(handles.replies)

try {
  // Gets whatever is queued, sleeps while nothing is, and waits for room while the way back is
  // full.
  for (;;) replies.putSync(requests.getSync({ block: true }), { block: true })
} catch (error) {
  if (!(error instanceof QueueClosedError)) throw error
}

// Nothing will come any more: this ends the other side's `for await`.
replies.close()
