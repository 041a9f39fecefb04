/** The worker of message.ts. Several of its calls wait for the same message. */
import { parentPort, workerData } from 'node:worker_threads'
import { Message, type MessageHandle } from 'threadsafe'

export interface Weather {
  place: string
  celsius: number
}

const { handle, waiters } = workerData as { handle: MessageHandle<Weather>; waiters: number }
const weather = Message.from(handle)
const waiting = Array.from({ length: waiters }, () => weather.wait())
parentPort?.postMessage('waiting')
parentPort?.postMessage(await Promise.all(waiting))
