/**
 * Native threads and signal handlers use queues and events until the isolate that opened the
 * handles ends.
 */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { constants } from 'node:os'
import { ThreadSafeEvent } from '../../lib/index.js'
import * as lib from '../fixtures/native-addon.js'
import { eachItemIsGot, eachSettingIsSeen } from '../wait/late-wakes.js'
import { finished, repetitions, runProcess, SHARE, threadsBlocked, until, within } from '../support.js'
import { addon, done, numbers, start, useNativeCode, work } from './native-code.js'

const { OK, CLOSED } = lib

describe('native code', function () {
  useNativeCode(this)

  describe('a native thread', () => {
    it('puts millions of numbers, which a worker and the main loop receive', async () => {
      const count = repetitions(50_000_000)
      const queue = numbers(4096)
      const worker = work({ role: 'receive', queue: queue.handle })
      const received = once(worker, 'message') as Promise<[{ items: number; sum: number }]>
      let items = 0
      let sum = 0
      async function receive(): Promise<void> {
        for await (const batch of queue.batches(4096)) {
          items += batch.length
          for (const item of batch) sum += item
        }
      }
      const receiving = receive()
      const job = start('produce', queue, count)
      assert.deepEqual([(await done(job, 100_000)).status, addon.look(job).items], [OK, count])
      queue.close()
      await within('the end of the queue', receiving)
      const [of] = await within('the sum of the worker', received)
      assert.ok(items > 0 && of.items > 0, `the main loop got ${items}, the worker ${of.items}`)
      assert.equal(items + of.items, count)
      // The sums are exact, as they stay below 2^53.
      assert.equal(sum + of.sum, (count / 2) * (count - 1))
    })

    it('takes what JavaScript puts, in its order', async () => {
      const queue = numbers(64)
      const job = start('consume', queue, 200_000)
      for (let k = 0; k < 100_000; k++) await queue.put(k)
      queue.putManySync(
        Array.from({ length: 100_000 }, (_, k) => k),
        { block: true },
      )
      const { status, items, sum } = await done(job)
      assert.deepEqual([status, items, sum], [OK, 200_000, 2 * 50_000 * 99_999])
    })

    it('that is blocked leaves the processor alone', async () => {
      const [full, empty, event] = [numbers(1), numbers(1), new ThreadSafeEvent()]
      full.putSync(0)
      const blocked = [start('produce', full), start('consume', empty), start('wait', event)]
      await until('the blocked threads', () => [full, empty, event].every((object) => threadsBlocked(object) === 1))
      await new Promise((resolve) => setTimeout(resolve, 1000))
      for (const job of blocked) addon.cancel(job)
      for (const job of blocked) {
        const { status, items, cpuMilliseconds } = await done(job)
        assert.deepEqual([status, items], [CLOSED, 0])
        assert.ok(cpuMilliseconds < 20, `${cpuMilliseconds} ms of a second`)
      }
    })

    it('that waits for an event is woken, and wakes others', async () => {
      const event = new ThreadSafeEvent()
      const jobs = [start('wait', event), start('wait', event)]
      await until('the blocked threads', () => threadsBlocked(event) === 2)
      event.set()
      for (const job of jobs) assert.equal((await done(job)).status, OK)
      event.clear()
      const waits = event.wait()
      start('set and clear', event)
      await within('the event', waits)
    })

    it('that never waits exchanges items with one that waits', async () => {
      for (const [producer, consumer] of [
        ['produce without waiting', 'consume'],
        ['produce', 'consume without waiting'],
      ] as const) {
        const queue = numbers(8)
        const count = 100_000
        const [from, to] = [start(producer, queue, count), start(consumer, queue, count)]
        assert.deepEqual([(await done(from, 30_000)).items, (await done(to, 30_000)).items], [count, count])
      }
    })
  })

  if (process.platform !== 'win32') {
    describe('a signal handler of another addon', () => {
      const signo = constants.signals.SIGUSR2

      it('puts, and drops and counts items for which there is no room', () => {
        const queue = numbers(3)
        assert.equal(addon.handleSignal(signo, queue.native, undefined, 0), OK)
        try {
          for (let k = 0; k < 5; k++) addon.raiseSignal(signo)
          assert.deepEqual(addon.handled(), { calls: 5, ok: 3, full: 0, dropped: 2, closed: 0, spoiltErrno: 0 })
          assert.deepEqual([...queue.getManySync(9)], [0, 1, 2])
          queue.close()
          addon.raiseSignal(signo)
          assert.equal(addon.handled().closed, 1)
        } finally {
          addon.restoreSignal(signo)
        }
      })

      it('wakes an awaiting loop, and a blocked worker', async () => {
        const queue = numbers(3)
        const event = new ThreadSafeEvent()
        assert.equal(addon.handleSignal(signo, queue.native, event.native, 1), OK)
        try {
          for (let round = 0; round < 20; round++) {
            const item = queue.get()
            const set = event.wait()
            addon.raiseSignal(signo)
            event.clear()
            assert.equal(await within('an item', item), 2 * round)
            await within('the event', set)
            const ready = new SharedArrayBuffer(4)
            const worker = work({ role: 'block', queue: queue.handle, event: event.handle, ready })
            const got = once(worker, 'message')
            const ended = finished(worker)
            await until('the worker is about to block', () => Atomics.load(new Int32Array(ready), 0) === 1)
            await until('the worker waits', () => queue.stats().waitingGets === 1)
            addon.raiseSignal(signo)
            assert.deepEqual(await within('the item of the worker', got), [2 * round + 1])
            await ended
            event.clear()
          }
          assert.equal(addon.handled().spoiltErrno, 0)
        } finally {
          addon.restoreSignal(signo)
        }
      })

      for (const target of ['queue', 'event'] as const) {
        it(`wakes blocked workers, while others come and go, at ${target === 'queue' ? 'a queue' : 'an event'}`, async () => {
          const queue = numbers(16)
          const event = new ThreadSafeEvent()
          const handled = addon.handleSignal(
            signo,
            target === 'queue' ? queue.native : undefined,
            target === 'event' ? event.native : undefined,
            0,
          )
          assert.equal(handled, OK)
          const raise = (): void => addon.raiseSignal(signo)
          try {
            if (target === 'queue') await eachItemIsGot(queue, 300, raise)
            else await eachSettingIsSeen(event, 300, raise)
          } finally {
            addon.restoreSignal(signo)
          }
        })
      }

      for (const tries of [0, 1] as const) {
        it(`may strike threads that are inside calls on the same queue (${tries ? 'try_put' : 'put_or_drop'})`, async () => {
          const queue = numbers(8)
          const producer = start('produce', queue)
          const consumer = start('consume', queue)
          assert.equal(addon.handleSignal(signo, queue.native, undefined, tries), OK)
          const rounds = 2000
          for (let round = 0; round < rounds; round++) {
            addon.strike(producer, signo, 10)
            addon.strike(consumer, signo, 10)
            // Both threads must go on, wherever the handler has struck.
            if (round % 100 === 0) {
              const { items } = addon.look(consumer)
              await until('items go on', () => addon.look(consumer).items > items)
            }
          }
          // A signal may be on its way to its thread for a while. It has arrived once the thread
          // has ended.
          addon.cancel(producer)
          const put = (await done(producer)).items
          addon.cancel(consumer)
          const got = (await done(consumer)).items
          const { calls, ok, full, dropped, spoiltErrno } = addon.handled()
          assert.ok(calls > 0 && ok > 0, `${calls} calls, ${ok} puts`)
          assert.equal(ok + full + dropped, calls)
          assert.equal(spoiltErrno, 0)
          assert.equal(got + queue.qsize(), put + ok)
          addon.restoreSignal(signo)
        })
      }
    })
  }

  describe('the end of the isolate', () => {
    it('that opened handles makes calls that wait with them return CLOSED, and no others', async () => {
      const [queue, full, event] = [numbers(1), numbers(1), new ThreadSafeEvent()]
      full.putSync(0)
      const before = addon.detachedJobs()
      const worker = work({ role: 'host', queue: queue.handle, full: full.handle, event: event.handle })
      await within('the worker', once(worker, 'message'))
      const own = start('consume', queue)
      await until('all to wait', () => queue.stats().waitingGets === 2 && full.stats().waitingPuts === 1)
      assert.equal(addon.detachedJobs().running, before.running + 3)
      await within('the end of the worker', worker.terminate())
      await until('all are told', () => addon.detachedJobs().running === before.running)
      assert.deepEqual(addon.detachedJobs(), { ...before, closed: before.closed + 3 })
      await queue.put(1)
      await until('the item', () => addon.look(own).items === 1)
    })

    it('comes soon though a native call blocks its thread', async () => {
      const ready = new SharedArrayBuffer(4)
      const queue = numbers(1)
      const worker = work({ role: 'block natively', queue: queue.handle, ready })
      await until('the worker is about to block', () => Atomics.load(new Int32Array(ready), 0) === 1)
      await until('the native call to wait', () => queue.stats().waitingGets === 1)
      await within('the end of the worker', worker.terminate(), 2000)
    })

    it('may come at any moment, while native threads put and get', async () => {
      const outcome = await runProcess('native-process', ['chaos', String(200 * SHARE), '11'], 100_000)
      assert.deepEqual({ ...outcome, milliseconds: 0 }, { code: 0, signal: null, stdout: 'end\n', stderr: '', milliseconds: 0 })
    })

    for (const how of ['exit', 'return']) {
      it(`of the main thread ends the process, though native threads are blocked (${how})`, async () => {
        const outcome = await runProcess('native-process', ['exit', how])
        assert.deepEqual({ ...outcome, milliseconds: 0 }, { code: 0, signal: null, stdout: 'end\n', stderr: '', milliseconds: 0 })
      })
    }
  })

  it('keeps in memory what it has open, and nothing that it has closed', async () => {
    const { stdout, stderr } = await runProcess('native-process', ['closing'])
    assert.deepEqual([stdout, stderr], ['10 0\n', ''])
  })
})
