/** Real-time signals carry values, and none is lost without being counted. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { attachSignal, sendSignal, type SignalInfo, type SignalSource, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { type Account, Accountant } from '../fixtures/signals-account.js'
import { finished, repetitions, startProcess, until, within } from '../support.js'
import { drain, endAll, PATIENCE, sendOne, SI_QUEUE, signalQueue, start, willDetach } from './sources.js'

if (process.platform === 'linux') {
  describe('real-time signals', function () {
    this.timeout(2 * PATIENCE)
    afterEach(endAll)

    it('carry a value each, in order', async () => {
      const queue = signalQueue(10)
      const source = willDetach(attachSignal('SIGRTMIN+3', queue))
      const values = [0, 1, -1, 42, 2 ** 31 - 1, -(2 ** 31)]
      for (const value of values) await sendOne('SIGRTMIN+3', source, value)
      const items = drain(queue)
      assert.deepEqual(
        items.map(({ value }) => value),
        values,
      )
      for (const { signo, code, pid, overrun } of items) {
        assert.deepEqual({ signo, code, pid, overrun }, { signo: 37, code: SI_QUEUE, pid: process.pid, overrun: 0 })
      }
    })

    it('reach another process with their values', async () => {
      const child = startProcess('signals-process', ['receive', 'SIGRTMIN+4', '3'])
      try {
        const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
        assert.equal((await within('the source', lines.next(), PATIENCE)).value, 'SIGRTMIN+4')
        for (const sent of [7, -7, 0]) {
          sendSignal(child.pid as number, 'SIGRTMIN+4', sent)
          const { signo, pid, value } = JSON.parse((await within('the signal', lines.next(), PATIENCE)).value as string) as SignalInfo
          assert.deepEqual({ signo, pid, value }, { signo: 38, pid: process.pid, value: sent })
        }
      } finally {
        child.kill('SIGKILL')
      }
    })

    describe('many of them, taken by a blocking worker', () => {
      const count = repetitions(200_000)
      const signal = 'SIGRTMIN+5'

      interface Storm {
        queue: ThreadSafeQueue<SignalInfo>
        source: SignalSource
        account: Promise<Account>
        from: bigint
      }

      function prepare(): Storm {
        const queue = signalQueue(1000)
        const drainer = start({ role: 'drain', queue: queue.handle })
        const account = once(drainer, 'message').then(([message]) => message as Account)
        return { queue, source: willDetach(attachSignal(signal, queue)), account, from: process.hrtime.bigint() }
      }

      async function check({ queue, source, account, from }: Storm, pid: number): Promise<void> {
        queue.close()
        const taken = await within('the account of the worker', account, PATIENCE)
        const until = process.hrtime.bigint()
        const { received, delivered, dropped } = source.stats()
        assert.equal(received, count)
        assert.equal(delivered + dropped, count)
        assert.equal(taken.count, delivered)
        assert.equal(taken.duplicates, 0)
        assert.equal(taken.strangers, 0)
        assert.ok(taken.first, 'some were delivered')
        assert.equal(taken.first.pid, pid)
        assert.equal(taken.first.uid, process.getuid?.())
        assert.equal(taken.first.code, SI_QUEUE)
        assert.ok(taken.earliest >= from && taken.latest <= until, 'timestamps lie between before and after')
        // Each thread takes signals in order. Two threads may take them at the same time, and one's
        // put may then overtake the other's.
        const threads = readdirSync('/proc/self/task').length
        assert.ok(taken.valueSequences <= threads, `values of ${taken.valueSequences} threads`)
        assert.ok(taken.timeSequences <= threads, `timestamps of ${taken.timeSequences} threads`)
      }

      it('while the loop waits, from a worker', async () => {
        const storm = prepare()
        await finished(start({ role: 'send', signal, first: 0, count }), PATIENCE)
        await until('all signals', () => storm.source.stats().received === count, PATIENCE)
        await check(storm, process.pid)
      })

      it('while the main thread is busy, from another process', async () => {
        const storm = prepare()
        const child = startProcess('signals-send', [String(process.pid), signal, String(count)])
        const ended = once(child, 'close')
        const deadline = performance.now() + PATIENCE
        while (storm.source.stats().received < count && performance.now() < deadline);
        assert.deepEqual(await within('the end of the sender', ended, PATIENCE), [0, null])
        await check(storm, child.pid as number)
      })

      it('while the main thread blocks in getSync(), from another process', async () => {
        const storm = prepare()
        const child = startProcess('signals-send', [String(process.pid), signal, String(count)])
        const ended = once(child, 'close')
        const nothing = new ThreadSafeQueue<number>(1, { type: 'float64' })
        const deadline = performance.now() + PATIENCE
        while (storm.source.stats().received < count && performance.now() < deadline) {
          assert.throws(() => nothing.getSync({ timeout: 100 }), TimeoutError)
        }
        assert.deepEqual(await within('the end of the sender', ended, PATIENCE), [0, null])
        await check(storm, child.pid as number)
      })
    })

    it('that strike a thread while it puts and gets on the same queue lose nothing', async () => {
      const signal = 'SIGRTMIN+6'
      const senders = 2
      const each = repetitions(100_000)
      const queue = signalQueue(64)
      const source = willDetach(attachSignal(signal, queue))
      const own: SignalInfo = { signo: 0, code: 0, pid: -1, uid: 0, status: 0, value: 0, timestamp: 0n, overrun: 0 }
      const accountant = new Accountant()
      let put = 0
      let got = 0
      let disordered = 0
      const take = (info: SignalInfo | undefined): void => {
        if (info === undefined) return
        if (info.pid !== own.pid) accountant.add(info)
        else if (info.value !== got++) disordered++
      }
      for (let i = 0; i < senders; i++) start({ role: 'send', signal, first: i * each, count: each })
      const deadline = performance.now() + PATIENCE
      while (source.stats().received < senders * each && performance.now() < deadline) {
        // Repeats often enough for this thread to be struck everywhere, while the queue is empty,
        // full or in between.
        for (let i = 0; i < 100; i++) {
          own.value = put
          if (queue.tryPut(own)) put++
          take(queue.tryGet())
        }
        // The workers start only when this loop iterates.
        if (source.stats().received === 0) await new Promise(setImmediate)
      }
      for (let info = queue.tryGet(); info; info = queue.tryGet()) take(info)
      const { received, delivered, dropped } = source.stats()
      assert.equal(received, senders * each)
      assert.equal(delivered + dropped, senders * each)
      assert.deepEqual({ got, disordered }, { got: put, disordered: 0 })
      const { count, duplicates, strangers } = accountant.account
      assert.deepEqual({ count, duplicates, strangers }, { count: delivered, duplicates: 0, strangers: 0 })
      assert.ok(put > 0 && delivered > 0)
    })
  })
}
