/**
 * The worker of echo.ts: synchronous code, which may block as it has no event loop to return to.
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
  // Gets whatever is queued, sleeps while there is nothing, and waits for room while the way back
  // is full.
  for (;;) replies.putSync(requests.getSync({ block: true }), { block: true })
} catch (error) {
  if (!(error instanceof QueueClosedError)) throw error
}

// Ends the other side's `for await`, as nothing more will come.
replies.close()
