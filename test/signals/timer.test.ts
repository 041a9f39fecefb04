/** Kernel timers: their ticks are true to the clock. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  attachSignal,
  type SignalInfo,
  SignalTimer,
  type SignalTimerOptions,
  ThreadSafeEvent,
  ThreadSafeQueue,
  type SignalName,
} from '../../lib/index.js'
import { finished, runProcess, until, within } from '../support.js'
import { drain, endAll, expectCleanEnd, PATIENCE, sendOne, SI_TIMER, signalQueue, start, willDetach } from './sources.js'

if (process.platform === 'linux') {
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
      /** It started to run between these two times. */
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
     * Compares the sum of the expirations that ticks report with the time passed. The handler is
     * seldom delayed between learning of expirations and reading the clock, so the median
     * difference must be small.
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
      // Ticks that are on their way when the timer stops are not counted. Their number depends on
      // when the timer's thread last ran.
      assert.ok(expirations <= most + 1 && expirations > least - 100, `${expirations} expirations in ${most} intervals`)
      let previous = before
      for (const { code, timestamp, value, pid } of ticks) {
        assert.deepEqual({ code, value, pid }, { code: SI_TIMER, value: 0, pid: 0 })
        assert.ok(timestamp > previous && timestamp < ended)
        previous = timestamp
      }
      // Usually a tick comes one interval after the one before.
      const gaps = ticks.slice(1).map(({ timestamp }, i) => Number(timestamp - (ticks[i] as SignalInfo).timestamp) / Number(MICROSECOND))
      const middle = gaps.sort((a, b) => a - b)[gaps.length >> 1] as number
      assert.ok(middle > interval * 0.8 && middle < interval * 1.5, `the middle gap is ${middle} us`)
    })

    it('ends with stop(), which may be called again', async () => {
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

    it('counts separately when there are several', () => {
      const intervals = [700, 1100, 2300, 5000]
      const all = intervals.map((interval) => startTimer(interval))
      blockFor(300)
      for (const { timer } of all) timer.stop()
      for (const started of all) checkRate(drain(started.queue), started)
    })

    it('does not mix with a plain source, or with signals that others send, on the same signal', async () => {
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

    it('can be fast or slow: from 50 microseconds to hours', () => {
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
      // A thread that blocks in a system call is woken for each signal that it takes, and blocks
      // again.
      const interruptions = (): number => {
        const [, count] = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8')) ?? []
        return Number(count)
      }
      // On a busy machine ticks merge, so the number of those that came counts.
      const switches = (thread: 'own' | 'loop'): { count: number; received: number } => {
        const { timer } = startTimer(1000, { thread })
        const before = interruptions()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
        const after = interruptions()
        const { received } = timer.stats()
        timer.stop()
        assert.ok(received >= 10, `${received} ticks`)
        return { count: after - before, received }
      }
      assert.ok(switches('own').count < 50)
      const { count, received } = switches('loop')
      assert.ok(count > 0.6 * received, `${count} for ${received} ticks`)
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

      it('reports once when it is old, with its age, while its thread is still blocked', async () => {
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

      it('is refused if a handler can not read it', () => {
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

    it('drops and counts ticks when the queue is full', async () => {
      const queue = signalQueue(5)
      const interval = 500
      const start = performance.now()
      const timer = willDetach(new SignalTimer(interval, queue))
      await until('dropped ticks', () => timer.stats().dropped >= 10)
      timer.stop()
      const { received, delivered } = timer.stats()
      const expirations = ((performance.now() - start) * 1000) / interval
      assert.equal(delivered, 5)
      assert.ok(received <= expirations, `${received} ticks in the time of ${expirations}`)
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
