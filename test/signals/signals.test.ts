/**
 * Signal sources with real signals: none is lost without being counted, and the records are true.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import {
  attachSignal,
  sendSignal,
  type SignalInfo,
  type SignalSource,
  type SignalStats,
  ThreadSafeEvent,
  ThreadSafeQueue,
  type SignalName,
} from '../../lib/index.js'
import { finished, runProcess, startProcess, until, within } from '../support.js'
import {
  CLD_EXITED,
  CLD_KILLED,
  drain,
  endAll,
  expectCleanEnd,
  PATIENCE,
  sendOne,
  signalQueue,
  sources,
  start,
  willDetach,
  withHandler,
} from './sources.js'

if (process.platform !== 'win32') {
  describe('signal sources', () => {
    afterEach(endAll)

    it('put a record into the queue that says who sent the signal, and when', async () => {
      const queue = signalQueue(10)
      const source = willDetach(attachSignal('SIGUSR2', queue))
      const before = process.hrtime.bigint()
      process.kill(process.pid, 'SIGUSR2')
      const info = await within('the signal', queue.get())
      assert.equal(info.signo, constants.signals.SIGUSR2)
      assert.equal(info.pid, process.pid)
      assert.equal(info.uid, process.getuid?.())
      assert.equal(info.value, 0)
      assert.ok(info.timestamp >= before && info.timestamp <= process.hrtime.bigint())
      assert.deepEqual(source.stats(), { received: 1, delivered: 1, dropped: 0, installed: true })
    })

    it('of SIGCHLD tell what became of the child', async () => {
      const queue = signalQueue(10)
      willDetach(attachSignal('SIGCHLD', queue))
      for (const [script, code, status] of [
        ['exit 3', CLD_EXITED, 3],
        ['exit 0', CLD_EXITED, 0],
        ['kill -TERM $$', CLD_KILLED, constants.signals.SIGTERM],
      ] as const) {
        const child = spawn('sh', ['-c', script])
        const info = await within('the signal', queue.get())
        assert.deepEqual(
          { pid: info.pid, code: info.code, status: info.status, value: info.value },
          { pid: child.pid, code, status, value: 0 },
        )
      }
      process.kill(process.pid, 'SIGCHLD')
      const { pid, status } = await within('the signal', queue.get())
      assert.deepEqual({ pid, status }, { pid: process.pid, status: 0 })
    })

    it('can share a signal, which each of them gets', async () => {
      const queues = [signalQueue(10), signalQueue(10), signalQueue(10)]
      const event = new ThreadSafeEvent()
      const all = [...queues.map((queue) => willDetach(attachSignal('SIGUSR2', queue))), willDetach(attachSignal('SIGUSR2', event))]
      process.kill(process.pid, 'SIGUSR2')
      await within('the event', event.wait({ timeout: PATIENCE }))
      for (const source of all) {
        await until('the signal at each source', () => source.stats().received === 1)
        assert.deepEqual(source.stats(), { received: 1, delivered: 1, dropped: 0, installed: true })
      }
      assert.deepEqual(
        queues.map((queue) => drain(queue).length),
        [1, 1, 1],
      )

      all[0]?.detach()
      await sendOne('SIGUSR2', all[1] as SignalSource)
      assert.deepEqual(
        queues.map((queue) => drain(queue).length),
        [0, 1, 1],
      )
    })

    it('can share a queue', async () => {
      const queue = signalQueue(10)
      const one = willDetach(attachSignal('SIGUSR2', queue))
      const other = willDetach(attachSignal('SIGWINCH', queue))
      await sendOne('SIGUSR2', one)
      await sendOne('SIGWINCH', other)
      assert.deepEqual(
        drain(queue).map(({ signo }) => signo),
        [constants.signals.SIGUSR2, constants.signals.SIGWINCH],
      )
    })

    it('set an event each time, for a blocked worker and for this loop', async () => {
      const event = new ThreadSafeEvent()
      const source = willDetach(attachSignal('SIGUSR2', event))
      await sendOne('SIGUSR2', source)
      assert.equal(event.isSet(), true)
      await sendOne('SIGUSR2', source)
      assert.deepEqual(source.stats(), { received: 2, delivered: 2, dropped: 0, installed: true })

      const ended = finished(start({ role: 'await', event: event.handle, rounds: 1 }), PATIENCE)
      await until('the worker has cleared the event', () => !event.isSet(), PATIENCE)
      const waiting = event.wait()
      process.kill(process.pid, 'SIGUSR2')
      await within('the event at the loop', waiting)
      await ended
    })

    for (const kind of ['queue', 'event']) {
      it(`wake a worker that is blocked at ${kind === 'queue' ? 'a queue' : 'an event'} at once, not only when it next checks`, async () => {
        const target = kind === 'queue' ? signalQueue(10) : new ThreadSafeEvent()
        willDetach(attachSignal('SIGUSR2', target))
        const back = new ThreadSafeQueue<bigint>(10, { type: 'biguint64' })
        start({ role: 'answer', target: target.handle, back: back.handle })
        const latencies: number[] = []
        for (let round = 0; round < 21; round++) {
          // The first answer may take as long as the worker takes to start. Before each signal the
          // worker has time to fall asleep.
          await setTimeout(5)
          const sent = process.hrtime.bigint()
          process.kill(process.pid, 'SIGUSR2')
          latencies.push(Number((await within('the answer', back.get(), PATIENCE)) - sent) / 1e6)
        }
        const middle = latencies.sort((a, b) => a - b)[latencies.length >> 1] as number
        assert.ok(middle < 25, `it takes ${middle} ms`)
      })
    }

    it('drop and count signals for which a full queue has no room', async () => {
      const queue = signalQueue(2)
      const source = willDetach(attachSignal('SIGUSR2', queue))
      for (let i = 0; i < 5; i++) await sendOne('SIGUSR2', source)
      assert.deepEqual(source.stats(), { received: 5, delivered: 2, dropped: 3, installed: true })
      const [first, second, ...others] = drain(queue) as [SignalInfo, SignalInfo]
      assert.equal(others.length, 0)
      await sendOne('SIGUSR2', source)
      const [last] = drain(queue) as [SignalInfo]
      assert.ok(first.timestamp < second.timestamp && second.timestamp < last.timestamp)
      assert.deepEqual(source.stats(), { received: 6, delivered: 3, dropped: 3, installed: true })
    })

    it("drop the oldest if the queue's overflow is drop-oldest", async () => {
      const queue = signalQueue(2, 'drop-oldest')
      const source = willDetach(attachSignal('SIGUSR2', queue))
      const times: bigint[] = []
      for (let i = 0; i < 5; i++) {
        await sendOne('SIGUSR2', source)
        times.push(process.hrtime.bigint())
      }
      assert.deepEqual(source.stats(), { received: 5, delivered: 5, dropped: 0, installed: true })
      const [older, newer, ...others] = drain(queue) as [SignalInfo, SignalInfo]
      assert.equal(others.length, 0)
      const [, , third, fourth, fifth] = times as [bigint, bigint, bigint, bigint, bigint]
      assert.ok(older.timestamp > third && older.timestamp < fourth, 'the fourth signal is the older one')
      assert.ok(newer.timestamp > fourth && newer.timestamp < fifth, 'the fifth is the newer one')
    })

    it('drop signals for a closed queue', async () => {
      const queue = signalQueue(2)
      const source = willDetach(attachSignal('SIGUSR2', queue))
      await sendOne('SIGUSR2', source)
      queue.close()
      await sendOne('SIGUSR2', source)
      assert.deepEqual(source.stats(), { received: 2, delivered: 1, dropped: 1, installed: true })
      assert.equal(queue.getSync().pid, process.pid)
    })

    it('keep calling the handler that was there before, and restore it after detach()', async () => {
      await withHandler('SIGUSR2', async (handled) => {
        const queue = signalQueue(10)
        const source = willDetach(attachSignal('SIGUSR2', queue))
        await sendOne('SIGUSR2', source)
        await until("Node's handler, while a source is attached", () => handled() === 1)
        source.detach()
        process.kill(process.pid, 'SIGUSR2')
        await until("Node's handler, after detach()", () => handled() === 2)
        assert.equal(drain(queue).length, 1)
      })
    })

    it("keep working, as do Node's listeners, when those come and go later", async () => {
      const queue = signalQueue(10)
      const worker = start({ role: 'attach', signal: 'SIGWINCH', queue: signalQueue(1).handle })
      await within('a source of a worker', once(worker, 'message'), PATIENCE)
      for (const signal of ['SIGUSR2', 'SIGWINCH'] as const) {
        const source = willDetach(attachSignal(signal, queue))
        for (let round = 1; round <= 3; round++) {
          await withHandler(signal, async (handled) => {
            await sendOne(signal, source)
            await until("Node's listener", () => handled() === 1)
          })
          // libuv has now restored the default action, which for SIGUSR2 is to end the process.
          await sendOne(signal, source)
          const listened = once(process, signal)
          await sendOne(signal, source)
          await within('a listener for one time', listened)
          await sendOne(signal, source)
          assert.deepEqual(source.stats(), { received: 4 * round, delivered: 4 * round, dropped: 0, installed: true })
          drain(queue)
        }
        await withHandler(signal, async (handled) => {
          source.detach()
          process.kill(process.pid, signal)
          await until("Node's listener, when the source is gone", () => handled() === 1)
        })
      }
    })

    it('can be attached to every signal that can be caught', async () => {
      const outcome = await runProcess('signals-process', ['every'])
      assert.deepEqual(
        { code: outcome.code, signal: outcome.signal, stdout: outcome.stdout },
        { code: 0, signal: null, stdout: 'all came\n' },
      )
    })

    it('restore the default action', async () => {
      const outcome = await runProcess('signals-process', ['default', 'SIGUSR2'])
      assert.equal(outcome.stdout, 'detached\n')
      assert.equal(outcome.signal, 'SIGUSR2')
    })

    it('can be detached twice, and keep their stats', async () => {
      const queue = signalQueue(1)
      await withHandler('SIGUSR2', async (handled) => {
        const source = attachSignal('SIGUSR2', queue)
        await sendOne('SIGUSR2', source)
        await sendOne('SIGUSR2', source)
        const expected: SignalStats = { received: 2, delivered: 1, dropped: 1, installed: false }
        source.detach()
        assert.deepEqual(source.stats(), expected)
        // The next source may get the place of the one that is gone, but its signals must not count
        // for that one.
        const next = willDetach(attachSignal('SIGUSR2', queue))
        await sendOne('SIGUSR2', next)
        source.detach()
        await sendOne('SIGUSR2', next)
        assert.deepEqual(source.stats(), expected)
        assert.deepEqual(next.stats(), { received: 2, delivered: 0, dropped: 2, installed: true })
        await until("Node's handler for all of them", () => handled() === 4)
      })
    })

    it('end with the worker that attached them', async () => {
      await withHandler('SIGUSR2', async (handled) => {
        const queue = signalQueue(10)
        let sent = 0
        for (const end of ['exit', 'terminate']) {
          const worker = start({ role: 'attach', signal: 'SIGUSR2', queue: queue.handle })
          await within('the source in the worker', once(worker, 'message'), PATIENCE)
          process.kill(process.pid, 'SIGUSR2')
          await within('the signal', queue.get())
          sent++
          await until("Node's handler, while the worker lives", () => handled() === sent)
          const ended = once(worker, 'exit')
          if (end === 'exit') worker.postMessage('end')
          else void worker.terminate()
          await within('the end of the worker', ended, PATIENCE)
          process.kill(process.pid, 'SIGUSR2')
          sent++
          await until("Node's handler, after the worker", () => handled() === sent)
          assert.equal(queue.qsize(), 0)
        }
      })
    })

    it('have the name of their signal, in whichever form it was given', () => {
      const queue = signalQueue(1)
      const forms: [SignalName | number, string][] = [
        ['SIGUSR2', 'SIGUSR2'],
        [constants.signals.SIGUSR2, 'SIGUSR2'],
        [constants.signals.SIGHUP, 'SIGHUP'],
      ]
      if (process.platform === 'linux') {
        forms.push(['SIGRTMIN', 'SIGRTMIN'], ['SIGRTMIN+3', 'SIGRTMIN+3'], [34, 'SIGRTMIN'], [37, 'SIGRTMIN+3'])
        forms.push(['SIGRTMIN+30', 'SIGRTMIN+30'], [64, 'SIGRTMIN+30'])
        forms.push(['SIGRTMAX', 'SIGRTMIN+30'], ['SIGRTMAX-3', 'SIGRTMIN+27'], ['SIGRTMAX-30', 'SIGRTMIN'])
      }
      for (const [given, name] of forms) {
        const source = attachSignal(given, queue)
        source.detach()
        assert.equal(source.signal, name)
      }
    })

    it('do not keep the process alive', async () => {
      const outcome = await runProcess('signals-process', ['idle'])
      expectCleanEnd(outcome)
      assert.equal(outcome.stdout, '')
    })

    it('do nothing when they are used after detach()', async () => {
      const outcome = await runProcess('signals-process', ['detached'])
      expectCleanEnd(outcome)
      assert.equal(outcome.stdout, 'detached\n')
    })

    for (const end of ['unref', 'detach']) {
      it(`keep the process alive from ref() to ${end}()`, async () => {
        const outcome = await runProcess('signals-process', ['referenced', end])
        expectCleanEnd(outcome)
        assert.equal(outcome.stdout, 'kept alive\n')
      })
    }

    it('take SIGUSR1 only if told that this is intended', async () => {
      const queue = signalQueue(1)
      for (const options of [undefined, {}, { inspectorSignal: false }]) {
        assert.throws(() => attachSignal('SIGUSR1', queue, options), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
      }
      const source = willDetach(attachSignal('SIGUSR1', queue, { inspectorSignal: true }))
      assert.equal(source.signal, 'SIGUSR1')
    })

    describe('are refused for', () => {
      const refused: (string | number)[] = [
        'SIGFOO',
        'sigusr2',
        'USR2',
        '',
        0,
        -1,
        1.5,
        NaN,
        65,
        1000,
        'toString',
        'SIGRTMIN-1',
        'SIGRTMIN+',
      ]
      for (const name of ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGUSR1'] as const) {
        refused.push(name, constants.signals[name])
      }
      // The C library keeps 32 and 33 for itself.
      if (process.platform === 'linux') refused.push(32, 33, 'SIGRTMIN+31', 'SIGRTMIN+99', 'SIGRTMAX-31', 'SIGRTMAX+1', 'SIGRTMIN-1')
      for (const signal of refused) {
        it(`the ${typeof signal} ${signal === '' ? 'that is empty' : signal}`, () => {
          assert.throws(() => attachSignal(signal as SignalName, signalQueue(1)), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
        })
      }

      it('anything that is no signal at all', () => {
        for (const signal of [undefined, null, {}, [], true, 12n]) {
          assert.throws(() => attachSignal(signal as never, signalQueue(1)), {
            name: 'TypeError',
            code: 'ERR_INVALID_ARG_TYPE',
          })
        }
      })

      it('targets that can hold no signal', () => {
        const targets: unknown[] = [
          new ThreadSafeQueue(1),
          new ThreadSafeQueue(1, { type: 'float64' }),
          signalQueue(1).handle,
          undefined,
          null,
          {},
          () => {},
        ]
        for (const target of targets) {
          assert.throws(() => attachSignal('SIGUSR2', target as ThreadSafeEvent), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
        }
      })
    })

    it('can be attached by the hundred, and again when they are detached', () => {
      const queue = signalQueue(1)
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 200; i++) willDetach(attachSignal('SIGUSR2', queue))
        for (const source of sources.splice(0)) source.detach()
      }
    })
  })

  describe('sendSignal', () => {
    it('reaches another process', async () => {
      const child = startProcess('signals-process', ['receive', 'SIGUSR2', '1'])
      try {
        const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
        assert.equal((await within('the source', lines.next(), PATIENCE)).value, 'SIGUSR2')
        sendSignal(child.pid as number, 'SIGUSR2')
        const info = JSON.parse((await within('the signal', lines.next(), PATIENCE)).value as string) as SignalInfo
        assert.equal(info.pid, process.pid)
        assert.equal(info.uid, process.getuid?.())
        assert.equal(info.signo, constants.signals.SIGUSR2)
      } finally {
        child.kill('SIGKILL')
      }
    })

    it('throws ESRCH for a process that does not exist', async () => {
      const child = startProcess('signals-process', ['none'])
      await within('the end of the process', once(child, 'close'), PATIENCE)
      assert.throws(() => sendSignal(child.pid as number, 'SIGUSR2'), { code: 'ESRCH', syscall: 'sigqueue' })
    })

    it('refuses wrong arguments', () => {
      const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
      const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
      const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }
      assert.throws(() => sendSignal('1' as unknown as number, 'SIGUSR2'), type)
      // Zero and negative numbers would name process groups.
      for (const pid of [0, -1, 1.5, NaN, 2 ** 31]) assert.throws(() => sendSignal(pid, 'SIGUSR2'), range)
      assert.throws(() => sendSignal(process.pid, null as never), type)
      for (const signal of ['SIGFOO', 0, 65]) assert.throws(() => sendSignal(process.pid, signal as SignalName), value)
      assert.throws(() => sendSignal(process.pid, 'SIGUSR2', '1' as unknown as number), type)
      for (const number of [0.5, 2 ** 31, -(2 ** 31) - 1, NaN]) assert.throws(() => sendSignal(process.pid, 'SIGUSR2', number), range)
    })
  })
}
