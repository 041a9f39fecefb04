/**
 * A worker, the loop, a native thread and a handler write records at once, and writers are killed.
 * No value is torn, and no merge and no buffer is lost. RECORD_READS sets how often the loop and a
 * worker read, for a longer run.
 */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { Message, SharedRecord, signalInfo, SignalTimer, attachSignal, sendSignal } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import { BUSY, CLOSED, OK, TIMEOUT, TOO_LARGE, TYPES, WRONG_KIND, WRONG_LAYOUT, WRONG_SIZE, WRONG_TYPE } from '../fixtures/native-addon.js'
import type { NativeMessage, NativeRecord } from '../fixtures/native-addon.js'
import { checked, shared, type Shared, written } from '../fixtures/shared-values.js'
import type { SharedTask } from '../fixtures/shared-worker.js'
import { addon, useNativeCode } from '../addon/native-code.js'
import { finished, startWorker, loopIterations, repetitions, until, within } from '../support.js'

const READS = Number(process.env.RECORD_READS ?? repetitions(300_000))
const HANDLER_PAUSE_NS = 20_000
const signo = native.firstRealtimeSignal + 9

const work = (task: SharedTask) => startWorker('shared-worker', task)

/** Returns a bit for each buffer that is free, and the number of buffers. */
function buffersOf(target: { readonly handle: object }): { free: number; count: number } {
  const { buffer } = (target.handle as { memory: WebAssembly.Memory }).memory
  const free = Atomics.load(new BigUint64Array(buffer), (native.lists.changed - 128) / 8)
  return { free: free.toString(2).replaceAll('0', '').length, count: new Uint32Array(buffer)[(128 + 24 + 8) / 4] as number }
}

function checkBuffers(target: { readonly handle: object }): void {
  const { free, count } = buffersOf(target)
  assert.ok(count >= 16 && count <= 64)
  assert.equal(free, count - 1)
}

describe('records and messages of many contexts', function () {
  useNativeCode(this)
  this.timeout(Math.max(120_000, READS / 20))

  function openRecord(target: SharedRecord<Shared, never>): NativeRecord {
    const opened = addon.openRecord(target.native, 8)
    if (typeof opened === 'number') throw new Error(addon.statusText(opened))
    return opened
  }

  it('are read whole, and no merge is lost', async () => {
    const target = new SharedRecord(shared)
    const record = openRecord(target as never)
    const reading = work({ does: 'read', record: target.handle as never, times: READS })
    const read = once(reading, 'message')
    const writing = work({ does: 'write', record: target.handle as never, times: READS })
    const check = checked()
    addon.startWriters(record, signo, HANDLER_PAUSE_NS)
    let writes = 0
    let newest = 0
    try {
      for (let k = 0; k < READS; k++) {
        const { value, version } = target.readWithVersion()
        check(value)
        if (version < newest) assert.fail(`version ${version} was read after ${newest}`)
        newest = version
        if (k % 4 === 0) target.write(written(++writes, 'byMain'))
        if (k % 4096 === 0) await loopIterations(1)
      }
      assert.deepEqual(await within('the reader', read, READS), ['read'])
      await finished(writing, READS)
      await finished(reading)
    } finally {
      const { byThread, byHandler, busy } = addon.stopWriters(signo)
      const { value, version } = target.readWithVersion()
      check(value)
      assert.deepEqual(
        { byThread: value.byThread, byHandler: value.byHandler, byMain: value.byMain },
        { byThread, byHandler, byMain: writes },
      )
      assert.equal(version, byThread + byHandler + writes + value.byWorker)
      assert.ok(byHandler > 0 && byThread > 0)
      if (process.env.RECORD_READS) console.log({ version, byThread, byHandler, busy, ...target.stats() })
      addon.recordClose(record)
    }
    assert.equal(target.read().byWorker, READS)
    checkBuffers(target)
  })

  it('lose no buffer to workers that are killed while they write', async () => {
    const target = new SharedRecord(shared)
    const check = checked()
    for (let k = 0; k < 30; k++) {
      const worker = work({ does: 'write without end', record: target.handle as never })
      await once(worker, 'message')
      const { version } = target
      await until('its writes', () => target.version > version + 100 * (k % 5))
      await within('the end of the worker', worker.terminate())
      const value = target.read()
      assert.equal(value.c, value.a + value.b)
      target.write({ byWorker: 0 })
      checkBuffers(target)
    }
    check({ ...target.read(), byWorker: 0 })
  })

  it('can be read, written in part and waited for by native code', () => {
    const target = new SharedRecord(shared)
    const record = openRecord(target as never)
    const value = new Float64Array(8)
    const bytes = new Uint8Array(value.buffer)
    target.write({ a: 1, spare: 5 })
    assert.deepEqual(addon.recordRead(record, bytes), { status: OK, version: 1 })
    assert.deepEqual([...value], [1, 0, 0, 0, 0, 0, 0, 5])
    value.fill(9)
    assert.equal(addon.recordWrite(record, bytes, 8, 16), OK)
    assert.deepEqual(target.read(), { a: 1, b: 9, c: 9, byHandler: 0, byThread: 0, byMain: 0, byWorker: 0, spare: 5 })
    // The range begins and ends inside words.
    const expected = bytes.slice()
    bytes.forEach((_, k) => (bytes[k] = k))
    expected.set(bytes.subarray(9, 22), 9)
    expected.set(new Uint8Array(new Float64Array([1]).buffer), 0)
    expected.fill(0, 24, 56)
    expected.set(new Uint8Array(new Float64Array([5]).buffer), 56)
    assert.equal(addon.recordWrite(record, bytes, 9, 13), OK)
    addon.recordRead(record, bytes)
    assert.deepEqual(bytes, expected)
    bytes.fill(0)
    assert.equal(addon.recordWrite(record, bytes, -1, 0), OK)
    assert.deepEqual(target.readWithVersion(), {
      value: { a: 0, b: 0, c: 0, byHandler: 0, byThread: 0, byMain: 0, byWorker: 0, spare: 0 },
      version: 4,
    })
    for (const [offset, length] of [
      [64, 1],
      [65, 0],
      [60, 5],
      [0, 65],
    ] as const)
      assert.equal(addon.recordWrite(record, bytes, offset, length), WRONG_SIZE)
    assert.equal(addon.recordWrite(record, bytes.subarray(1), -1, 0), WRONG_SIZE)
    assert.equal(addon.recordRead(record, bytes.subarray(1)).status, WRONG_SIZE)
    assert.equal(addon.recordWait(record, 3, 0), 4)
    assert.equal(addon.recordWait(record, 3, -1), 4)
    assert.equal(addon.recordWait(record, 4, 0), -TIMEOUT)
    assert.equal(addon.recordWait(record, 4, 5), -TIMEOUT)
    assert.equal(addon.recordCancel(record), OK)
    assert.equal(addon.recordWrite(record, bytes, -1, 0), CLOSED)
    assert.equal(addon.recordRead(record, bytes).status, CLOSED)
    assert.equal(addon.recordWait(record, 0, -1), -CLOSED)
    assert.equal(addon.recordClose(record), OK)
    assert.equal(addon.openRecord(target.native, 7), WRONG_LAYOUT)
    assert.equal(addon.openRecord(new Message({ type: shared }).native, 8), WRONG_KIND)
    assert.equal(addon.openRecord({}, 8), WRONG_KIND)
    assert.match(addon.statusText(BUSY), /others/)
  })

  it('wake those who wait when native code writes a record or sets a message', async () => {
    const target = new SharedRecord(shared)
    const record = openRecord(target as never)
    const wait = target.wait(0)
    addon.recordWrite(record, new Uint8Array(64), -1, 0)
    assert.equal(await within('the native write', wait), 1)
    addon.recordClose(record)

    const celsius = new Message({ type: 'float64' })
    const message = addon.openMessage(celsius.native, TYPES.float64, 8) as NativeMessage
    const set = celsius.wait()
    assert.equal(addon.messageSet(message, new Uint8Array(new Float64Array([21.5]).buffer)), OK)
    assert.equal(await within('the native set', set), 21.5)
    assert.equal(addon.messageSet(message, new Uint8Array(7)), WRONG_SIZE)
    assert.equal(addon.messageClear(message), OK)
    assert.deepEqual([celsius.isSet(), celsius.value()], [false, 21.5])
    assert.equal(addon.messageCancel(message), OK)
    assert.equal(addon.messageSet(message, new Uint8Array(8)), CLOSED)
    assert.equal(addon.messageClose(message), OK)

    const bytes = new Message({ type: 'bytes', maxBytes: 10 })
    const open = addon.openMessage(bytes.native, TYPES.bytes, 0) as NativeMessage
    for (const length of [0, 3, 10]) {
      assert.equal(addon.messageSet(open, new Uint8Array(length).fill(length)), OK)
      assert.deepEqual(bytes.value(), new Uint8Array(length).fill(length))
    }
    assert.equal(addon.messageSet(open, new Uint8Array(11)), TOO_LARGE)
    addon.messageClose(open)
    assert.equal(addon.openMessage(bytes.native, TYPES.float64, 8), WRONG_TYPE)
    assert.equal(addon.openMessage(new Message().native, TYPES.bytes, 0), WRONG_TYPE)
    assert.equal(addon.openMessage(celsius.native, TYPES.float64, 4), WRONG_SIZE)
    assert.equal(addon.openMessage(target.native, TYPES.float64, 8), WRONG_KIND)
  })

  it('are targets of signals, each of which is delivered or counted as dropped', async () => {
    const record = new SharedRecord(signalInfo)
    const message = new Message({ type: signalInfo })
    const sources = [attachSignal(signo, record), attachSignal(signo, message)]
    const waits = [record.wait(0), message.wait()] as const
    sendSignal(process.pid, signo, 7)
    assert.equal(await within('the record', waits[0]), 1)
    assert.equal((await within('the message', waits[1])).value, 7)
    assert.equal(record.read().value, 7)
    for (let k = 0; k < 100; k++) sendSignal(process.pid, signo, k)
    await until('all signals', () => record.version === 101)
    assert.equal(message.value()?.value, 99)
    for (const source of sources) {
      const { received, delivered, dropped } = source.stats()
      assert.deepEqual([received, delivered, dropped], [101, 101, 0])
      source.detach()
    }

    const interval = 50
    const start = performance.now()
    const timer = new SignalTimer(interval, record)
    const end = start + 200
    let last = record.readWithVersion()
    let written = 0
    while (performance.now() < end) {
      const next = record.readWithVersion()
      assert.ok(next.version >= last.version && next.value.timestamp >= last.value.timestamp)
      last = next
      record.write({ overrun: 1 })
      written++
      await loopIterations(1)
    }
    timer.stop()
    const { received, delivered, dropped } = timer.stats()
    assert.ok(delivered > 100, `${delivered}`)
    assert.equal(record.version, 101 + written + delivered)
    const expirations = ((performance.now() - start) * 1000) / interval
    assert.ok(received <= expirations, `${received} ticks, ${dropped} of them dropped, in the time of ${expirations}`)
    checkBuffers(record)
    assert.throws(() => attachSignal(signo, new SharedRecord(shared) as never), /"target" .*a record of the type signalInfo/)
    assert.throws(() => attachSignal(signo, new Message() as never), /"target" .*a message of the type signalInfo/)
  })
})
