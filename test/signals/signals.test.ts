/** Signal sources with real signals and the kernel's timers: nothing is lost uncounted, and what comes tells the truth. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import {
  attachSignal,
  sendSignal,
  type SignalInfo,
  signalInfo,
  type SignalSource,
  type SignalStats,
  SignalTimer,
  type SignalTimerOptions,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
  type SignalName,
} from '../../lib/index.js'
import { type Account, Accountant } from '../fixtures/signals-account.js'
import type { SignalRole } from '../fixtures/signals-worker.js'
import { finished, type Outcome, runProcess, startProcess, startWorker, until, within } from '../support.js'

const PATIENCE = 60_000

/** si_code of Linux: by sigqueue(3), by a timer. */
const SI_QUEUE = -1
const SI_TIMER = -2

const workers: Worker[] = []
const sources: { detach(): void }[] = []

function start(task: SignalRole): Worker {
  const worker = startWorker('signals-worker', task)
  workers.push(worker)
  return worker
}

function willDetach<S extends { detach(): void }>(source: S): S {
  sources.push(source)
  return source
}

function signalQueue(capacity: number, overflow: 'reject' | 'drop-oldest' = 'reject'): ThreadSafeQueue<SignalInfo> {
  return new ThreadSafeQueue<SignalInfo>(capacity, { type: signalInfo, overflow })
}

function drain(queue: ThreadSafeQueue<SignalInfo>): SignalInfo[] {
  const items: SignalInfo[] = []
  for (let item = queue.tryGet(); item; item = queue.tryGet()) items.push(item)
  return items
}

/** Standard signals of one number merge while they are on their way, so the next is sent when this one has come. */
async function sendOne(signal: SignalName, source: SignalSource, value?: number): Promise<void> {
  const { received } = source.stats()
  sendSignal(process.pid, signal, value)
  await until(`the handler of ${signal}`, () => source.stats().received === received + 1)
}

/** Installs a handler of Node's for the time that `body` takes; it counts. */
async function withHandler(signal: NodeJS.Signals, body: (handled: () => number) => Promise<void>): Promise<void> {
  let count = 0
  const handler = (): void => void count++
  process.on(signal, handler)
  try {
    await body(() => count)
  } finally {
    process.off(signal, handler)
  }
}

function expectCleanEnd({ code, signal, stderr }: Outcome): void {
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
}

async function endAll(): Promise<void> {
  for (const source of sources.splice(0)) source.detach()
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
}

if (process.platform !== 'win32') {
  describe('signal sources', () => {
    afterEach(endAll)

    it('put into the queue who sent the signal, and when', async () => {
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

    it('share a signal: each gets it', async () => {
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

    it('share a queue', async () => {
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
      it(`wake a worker that is blocked at ${kind === 'queue' ? 'a queue' : 'an event'} at once, not when it next looks for itself`, async () => {
        const target = kind === 'queue' ? signalQueue(10) : new ThreadSafeEvent()
        willDetach(attachSignal('SIGUSR2', target))
        const back = new ThreadSafeQueue<bigint>(10, { type: 'biguint64' })
        start({ role: 'answer', target: target.handle, back: back.handle })
        const latencies: number[] = []
        for (let round = 0; round < 21; round++) {
          // The first answer may take as long as the worker takes to start; after each, it has the time to fall asleep.
          await setTimeout(5)
          const sent = process.hrtime.bigint()
          process.kill(process.pid, 'SIGUSR2')
          latencies.push(Number((await within('the answer', back.get(), PATIENCE)) - sent) / 1e6)
        }
        const middle = latencies.sort((a, b) => a - b)[latencies.length >> 1] as number
        assert.ok(middle < 25, `it takes ${middle} ms`)
      })
    }

    it('drop and count what a full queue has no room for', async () => {
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

    it("let the oldest go if the queue's overflow is drop-oldest", async () => {
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

    it('drop what comes for a closed queue', async () => {
      const queue = signalQueue(2)
      const source = willDetach(attachSignal('SIGUSR2', queue))
      await sendOne('SIGUSR2', source)
      queue.close()
      await sendOne('SIGUSR2', source)
      assert.deepEqual(source.stats(), { received: 2, delivered: 1, dropped: 1, installed: true })
      assert.equal(queue.getSync().pid, process.pid)
    })

    it('leave the handler that was there before in work, and have it back after detach()', async () => {
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

    it("stay in work, as do Node's listeners, when those come and go later", async () => {
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
          // Now libuv has restored the default action, which for SIGUSR2 is to end the process.
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

    it('can be had for every signal that can be caught', async () => {
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
        // The next source may get the place of the one that is gone, and must not count for it.
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

    it('have the name of their signal, whichever way it was given', () => {
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
      it(`keep it alive from ref() to ${end}()`, async () => {
        const outcome = await runProcess('signals-process', ['referenced', end])
        expectCleanEnd(outcome)
        assert.equal(outcome.stdout, 'kept alive\n')
      })
    }

    it('take SIGUSR1 only if that is meant', async () => {
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

      it('what is no signal at all', () => {
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

    it('can be had by the hundred, and again when they are detached', () => {
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
      // 0 and negative numbers would be groups of processes.
      for (const pid of [0, -1, 1.5, NaN, 2 ** 31]) assert.throws(() => sendSignal(pid, 'SIGUSR2'), range)
      assert.throws(() => sendSignal(process.pid, null as never), type)
      for (const signal of ['SIGFOO', 0, 65]) assert.throws(() => sendSignal(process.pid, signal as SignalName), value)
      assert.throws(() => sendSignal(process.pid, 'SIGUSR2', '1' as unknown as number), type)
      for (const number of [0.5, 2 ** 31, -(2 ** 31) - 1, NaN]) assert.throws(() => sendSignal(process.pid, 'SIGUSR2', number), range)
    })
  })
}

if (process.platform === 'linux') {
  describe('real-time signals', function () {
    this.timeout(2 * PATIENCE)
    afterEach(endAll)

    it('carry a value, one after the other', async () => {
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

    describe('200,000 of them, taken by a blocking worker', () => {
      const count = 200_000
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
        // Each thread takes signals in order. Two threads may do so at one time, and their puts may pass each other.
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
      const each = 100_000
      const queue = signalQueue(64)
      const source = willDetach(attachSignal(signal, queue))
      const own: SignalInfo = { signo: 0, code: 0, pid: -1, uid: 0, value: 0, timestamp: 0n, overrun: 0 }
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
        // Often enough to let this thread be struck everywhere, with the queue empty, full and between.
        for (let i = 0; i < 100; i++) {
          own.value = put
          if (queue.tryPut(own)) put++
          take(queue.tryGet())
        }
        // The workers start only when this loop comes round.
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

  describe('SignalTimer', function () {
    this.timeout(PATIENCE)
    afterEach(endAll)

    const MICROSECOND = 1000n

    function blockFor(milliseconds: number): void {
      const end = performance.now() + milliseconds
      while (performance.now() < end);
    }

    interface Started {
      timer: SignalTimer
      queue: ThreadSafeQueue<SignalInfo>
      interval: number
      /** It began to run between these two times. */
      before: bigint
      after: bigint
    }

    function startTimer(interval: number, options?: SignalTimerOptions): Started {
      const queue = signalQueue(10_000)
      const before = process.hrtime.bigint()
      const timer = willDetach(new SignalTimer(interval, queue, options))
      return { timer, queue, interval, before, after: process.hrtime.bigint() }
    }

    /**
     * Expirations that each tick tells of, added up, against the time that passed until then. The handler may be kept waiting between
     * being told of expirations and reading the clock, but seldom: so the middle one of the differences must be small.
     */
    function checkRate(ticks: SignalInfo[], { interval, before, after }: Started): void {
      assert.ok(ticks.length > 10, `only ${ticks.length} ticks`)
      const intervals = (nanoseconds: bigint): number => Number(nanoseconds) / Number(MICROSECOND) / interval
      let expirations = 0
      const differences = ticks.map(({ timestamp, overrun }) => {
        expirations += 1 + overrun
        return Math.max(intervals(timestamp - after) - expirations, expirations - intervals(timestamp - before), 0)
      })
      const middle = differences.sort((a, b) => a - b)[ticks.length >> 1] as number
      assert.ok(middle <= 2, `the ticks are ${middle} expirations away from the clock`)
    }

    it('ticks at 1 kHz for a second while the main thread is blocked', () => {
      const interval = 1000
      const started = startTimer(interval)
      const { timer, queue, before, after } = started
      blockFor(1000)
      timer.stop()
      const ended = process.hrtime.bigint()
      const ticks = drain(queue)
      assert.deepEqual(timer.stats(), { received: ticks.length, delivered: ticks.length, dropped: 0, installed: false })
      checkRate(ticks, started)
      const expirations = ticks.reduce((sum, { overrun }) => sum + 1 + overrun, 0)
      const most = Number(ended - before) / Number(MICROSECOND) / interval
      const least = Number(ended - after) / Number(MICROSECOND) / interval
      // What is on its way when the timer stops is not counted; how much that is depends on when its thread last ran.
      assert.ok(expirations <= most + 1 && expirations > least - 100, `${expirations} expirations in ${most} intervals`)
      let previous = before
      for (const { code, timestamp, value, pid } of ticks) {
        assert.deepEqual({ code, value, pid }, { code: SI_TIMER, value: 0, pid: 0 })
        assert.ok(timestamp > previous && timestamp < ended)
        previous = timestamp
      }
      // As a rule a tick comes an interval after the one before.
      const gaps = ticks.slice(1).map(({ timestamp }, i) => Number(timestamp - (ticks[i] as SignalInfo).timestamp) / Number(MICROSECOND))
      const middle = gaps.sort((a, b) => a - b)[gaps.length >> 1] as number
      assert.ok(middle > interval * 0.8 && middle < interval * 1.5, `the middle gap is ${middle} us`)
    })

    it('ends with stop(), and stop() may be called again', async () => {
      const queue = signalQueue(10_000)
      const witness = signalQueue(10_000)
      const timer = willDetach(new SignalTimer(500, queue))
      willDetach(new SignalTimer(500, witness))
      await until('ten ticks', () => queue.qsize() >= 10)
      timer.stop()
      const stats = timer.stats()
      assert.equal(queue.qsize(), stats.delivered)
      const seen = witness.qsize()
      await until('fifty ticks of the other', () => witness.qsize() >= seen + 50)
      assert.equal(queue.qsize(), stats.delivered)
      timer.stop()
      timer.detach()
      assert.deepEqual(timer.stats(), stats)
    })

    it('counts for itself when there are several', () => {
      const intervals = [700, 1100, 2300, 5000]
      const all = intervals.map((interval) => startTimer(interval))
      blockFor(300)
      for (const { timer } of all) timer.stop()
      for (const started of all) checkRate(drain(started.queue), started)
    })

    it('does not mix with a plain source, or a signal that somebody sends, on the same signal', async () => {
      const ticks = signalQueue(10_000)
      const plain = signalQueue(10_000)
      const timer = willDetach(new SignalTimer(1000, ticks))
      const source = willDetach(attachSignal(timer.signal, plain))
      for (let value = 0; value < 100; value++) await sendOne(timer.signal, source, value)
      await until('twenty ticks', () => ticks.qsize() >= 20)
      timer.stop()
      source.detach()
      assert.deepEqual(
        drain(plain).map(({ value }) => value),
        Array.from({ length: 100 }, (_, value) => value),
      )
      assert.deepEqual(new Set(drain(ticks).map(({ code }) => code)), new Set([SI_TIMER]))
      assert.deepEqual(source.stats(), { received: 100, delivered: 100, dropped: 0, installed: false })
    })

    it('takes another signal if it is told to', async () => {
      const queue = signalQueue(100)
      const timer = willDetach(new SignalTimer(1000, queue, { signal: 'SIGRTMIN+7' }))
      assert.equal(timer.signal, 'SIGRTMIN+7')
      assert.equal((await within('a tick', queue.get())).signo, 41)
    })

    it('sets an event for a blocked worker and for this loop', async () => {
      const event = new ThreadSafeEvent()
      const forTheWorker = new ThreadSafeEvent()
      willDetach(new SignalTimer(2000, event))
      willDetach(new SignalTimer(2000, forTheWorker))
      const ended = finished(start({ role: 'await', event: forTheWorker.handle, rounds: 50 }), PATIENCE)
      for (let round = 0; round < 50; round++) {
        event.clear()
        await within('a tick', event.wait())
      }
      await ended
    })

    it('that is faster than its handler keeps nobody from waking, attaching and detaching', async () => {
      const outcome = await runProcess('signals-process', ['flood'])
      expectCleanEnd(outcome)
      assert.equal(outcome.stdout, 'awake\ndetached\n')
    })

    it('is quick and slow: from 50 microseconds to hours', () => {
      const hours = startTimer(10 * 3600 * 1e6)
      for (const thread of ['own', 'loop'] as const) {
        const started = startTimer(50, { thread })
        blockFor(200)
        started.timer.stop()
        checkRate(drain(started.queue), started)
      }
      hours.timer.stop()
      assert.deepEqual(hours.timer.stats(), { received: 0, delivered: 0, dropped: 0, installed: false })
    })

    it('interrupts the thread that made it only if it is told to', async () => {
      // A thread that blocks in a system call is woken for each signal that it takes, and blocks again.
      const interruptions = (): number => {
        const [, count] = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8')) ?? []
        return Number(count)
      }
      const switches = (thread: 'own' | 'loop'): number => {
        const { timer } = startTimer(1000, { thread })
        const before = interruptions()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
        const after = interruptions()
        timer.stop()
        return after - before
      }
      assert.ok(switches('own') < 50)
      assert.ok(switches('loop') > 100)
      const queue = signalQueue(100)
      const worker = start({ role: 'tick', queue: queue.handle })
      await within('the ticks', once(worker, 'message'), PATIENCE)
      await worker.terminate()
      drain(queue)
      const witness = signalQueue(100)
      willDetach(new SignalTimer(1000, witness))
      await until('ticks of another timer', () => witness.qsize() >= 20)
      assert.equal(queue.qsize(), 0)
    })

    describe('with a heartbeat', () => {
      const beatOf = (): BigUint64Array => new BigUint64Array(new SharedArrayBuffer(16), 8)

      it('tells when it is old, once, with its age, while the thread that it is of is still blocked', async () => {
        const queue = signalQueue(10)
        const heartbeat = beatOf()
        const timer = willDetach(new SignalTimer(2000, queue, { heartbeat, olderThan: 100 }))
        const witness = signalQueue(1000)
        willDetach(new SignalTimer(2000, witness))
        await until('ticks without a beat', () => witness.qsize() >= 50)
        const beats = setInterval(() => Atomics.store(heartbeat, 0, process.hrtime.bigint()), 5)
        try {
          for (let round = 1; round <= 3; round++) {
            await until('a beat', () => Atomics.load(heartbeat, 0) > 0n)
            drain(witness)
            await until('ticks while the heart beats', () => witness.qsize() >= 50)
            Atomics.store(heartbeat, 0, process.hrtime.bigint())
            const last = Atomics.load(heartbeat, 0)
            const before = timer.stats().received
            blockFor(300)
            const [told, ...others] = drain(queue)
            assert.ok(told)
            assert.deepEqual(others, [])
            const age = told.timestamp - last
            assert.ok(age > 100_000_000n && told.timestamp < process.hrtime.bigint(), `told ${age} ns after the last beat`)
            assert.ok(Math.abs(told.value - Number(age) / 1000) <= 1)
            assert.equal(timer.stats().received, before + 1)
          }
        } finally {
          clearInterval(beats)
        }
      })

      it('is refused where that can not be looked at', () => {
        const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
        const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
        const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }
        const make = (options: object) => () => new SignalTimer(1000, signalQueue(1), options)
        for (const heartbeat of [1n, new BigUint64Array(1), new Float64Array(new SharedArrayBuffer(8)), null]) {
          assert.throws(make({ heartbeat, olderThan: 1 }), type)
        }
        assert.throws(make({ heartbeat: new BigUint64Array(new SharedArrayBuffer(0)), olderThan: 1 }), value)
        assert.throws(make({ olderThan: 1 }), value)
        for (const olderThan of [undefined, '1']) assert.throws(make({ heartbeat: beatOf(), olderThan }), type)
        for (const olderThan of [0, -1, NaN, Infinity]) assert.throws(make({ heartbeat: beatOf(), olderThan }), range)
      })
    })

    it('drops and counts on a full queue', async () => {
      const queue = signalQueue(5)
      const timer = willDetach(new SignalTimer(500, queue))
      await until('dropped ticks', () => timer.stats().dropped >= 10)
      timer.stop()
      const { received, delivered, dropped } = timer.stats()
      assert.equal(delivered, 5)
      assert.equal(received, delivered + dropped)
      assert.equal(drain(queue).length, 5)
    })

    it('refuses wrong arguments', () => {
      const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }
      for (const interval of [0, -1, NaN, 0.5, Infinity]) assert.throws(() => new SignalTimer(interval, signalQueue(1)), range)
      assert.throws(() => new SignalTimer(49, signalQueue(1), { thread: 'loop' }), range)
      assert.throws(() => new SignalTimer(1000, signalQueue(1), { thread: 'main' as 'loop' }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
      })
      assert.throws(() => new SignalTimer('1' as unknown as number, signalQueue(1)), { code: 'ERR_INVALID_ARG_TYPE' })
      assert.throws(() => new SignalTimer(1000, new ThreadSafeQueue(1) as ThreadSafeQueue<SignalInfo>), { code: 'ERR_INVALID_ARG_TYPE' })
      for (const signal of ['SIGUSR2', 'SIGFOO', 33]) {
        assert.throws(() => new SignalTimer(1000, signalQueue(1), { signal: signal as SignalName }), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_VALUE',
        })
      }
    })
  })
}
