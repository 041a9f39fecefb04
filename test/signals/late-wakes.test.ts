/**
 * Signal sources wake blocked workers, some of which come and go. native-threads.test.ts does the
 * same with native code.
 */
import { platform } from 'node:process'
import { attachSignal, sendSignal, type SignalInfo, signalInfo, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { eachItemIsGot, eachSettingIsSeen } from '../wait/late-wakes.js'

describe('a signal source wakes blocked workers, while others come and go,', function () {
  if (platform === 'win32') return
  this.timeout(120_000)

  const SIGNAL = 'SIGRTMIN+4' // real-time signals do not merge with pending ones

  it('at a queue', async () => {
    const queue: ThreadSafeQueue<SignalInfo> = new ThreadSafeQueue(16, { type: signalInfo })
    const source = attachSignal(SIGNAL, queue)
    try {
      await eachItemIsGot(queue as ThreadSafeQueue, 300, () => sendSignal(process.pid, SIGNAL))
    } finally {
      source.detach()
    }
  })

  it('at an event', async () => {
    const event = new ThreadSafeEvent()
    const source = attachSignal(SIGNAL, event)
    try {
      await eachSettingIsSeen(event, 300, () => sendSignal(process.pid, SIGNAL))
    } finally {
      source.detach()
    }
  })
})
