/**
 * The worker of watchdog.ts. It runs even while the main thread does not, so it can report a stall,
 * log it, or end the process.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { QueueClosedError, type QueueHandle, type SignalInfo, ThreadSafeQueue } from 'threadsafe'

export interface Stall {
  /**
   * The last sign of life of the main loop, and the moment when this worker learned of the stall,
   * both as `process.hrtime.bigint()`.
   */
  began: bigint
  known: bigint
}

export interface WatchdogQueues {
  alarms: QueueHandle<SignalInfo>
  stalls: QueueHandle<Stall>
}

const handles = workerData as WatchdogQueues
const alarms = ThreadSafeQueue.from(handles.alarms)
const stalls = ThreadSafeQueue.from(handles.stalls)

parentPort?.postMessage('ready')

try {
  for (;;) {
    const { timestamp, value } = alarms.getSync({ block: true })
    // `value` is the heartbeat's age, in microseconds, when the signal handler read it.
    stalls.putSync({ began: timestamp - BigInt(value) * 1000n, known: process.hrtime.bigint() })
  }
} catch (error) {
  if (!(error instanceof QueueClosedError)) throw error
}
