/** The C interface: its header, and the result of each call. */
import { strict as assert } from 'node:assert'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runInNewContext } from 'node:vm'
import { includeDir, record, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import * as lib from '../fixtures/native-addon.js'
import { nodeGyp } from '../fixtures/native-addon-build.js'
import { threadsBlocked, until, within } from '../support.js'
import { addon, done, execute, FOREVER, numbers, openEvent, openNumbers, openQueue, POINT, start, useNativeCode } from './native-code.js'

const { OK, EMPTY, FULL, CLOSED, TIMEOUT, TOO_SMALL, DROPPED, TOO_LARGE, WRONG_SIZE, WRONG_TYPE, WRONG_LAYOUT, WRONG_KIND, TOO_OLD } = lib
const { TYPES } = lib

describe('native code', function () {
  useNativeCode(this)

  describe('the header', () => {
    it('compiles as C99 and as C++11, without a warning', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'threadsafe-header-'))
      const headers = resolve(process.execPath, '../../include/node')
      const flags = ['-fsyntax-only', '-Wall', '-Wextra', '-pedantic', '-Werror', '-I', includeDir, '-isystem', headers, '-DNAPI_VERSION=8']
      try {
        for (const [compiler, standard, file] of [
          ['cc', '-std=c99', 'c.c'],
          ['c++', '-std=c++11', 'cc.cc'],
        ] as const) {
          const path = join(directory, file)
          writeFileSync(path, '#include <threadsafe.h>\nint used(threadsafe_queue *q) { return threadsafe_try_put(q, 0, 0); }\n')
          await execute(compiler, [...flags, standard, path])
        }
      } finally {
        rmSync(directory, { recursive: true })
      }
    })

    it('has a text for each status', () => {
      const texts = Array.from({ length: 20 }, (_, status) => addon.statusText(status)).filter((text) => text !== 'unknown')
      assert.equal(new Set(texts).size, 17)
    })
  })

  describe('opening', () => {
    it('takes queues of all types of fixed size, and of bytes', () => {
      for (const [type, itemBytes] of Object.entries({ boolean: 1, int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4 }))
        addon.queueClose(openQueue(new ThreadSafeQueue(1, { type: type as 'int8' }), TYPES[type as 'int8'], itemBytes))
      for (const [type, itemBytes] of Object.entries({ bigint64: 8, biguint64: 8, float32: 4, float64: 8, bytes: 0 }))
        addon.queueClose(openQueue(new ThreadSafeQueue(1, { type: type as 'bytes' }), TYPES[type as 'bytes'], itemBytes))
    })

    it('refuses what is neither a queue nor an event', () => {
      const queue = numbers(1)
      const event = new ThreadSafeEvent()
      const others = [queue, queue.handle, {}, Object.create(queue.native) as object, new Proxy(queue.native, {}), 'queue', 1, undefined]
      for (const other of [...others, event.native]) assert.equal(addon.openQueue(other, TYPES.float64, 8), WRONG_KIND)
      for (const other of [...others, queue.native]) assert.equal(addon.openEvent(other), WRONG_KIND)
    })

    it('refuses a queue of another type, or of items of another size', () => {
      assert.equal(addon.openQueue(numbers(1).native, TYPES.bigint64, 8), WRONG_TYPE)
      assert.equal(addon.openQueue(numbers(1).native, TYPES.record, 8), WRONG_TYPE)
      assert.equal(addon.openQueue(numbers(1).native, TYPES.float64, 4), WRONG_SIZE)
      for (const type of ['any', 'string'] as const) {
        const queue = new ThreadSafeQueue(1, { type })
        for (const claimed of [0, 1, ...Object.values(TYPES)]) assert.equal(addon.openQueue(queue.native, claimed, 8), WRONG_TYPE)
      }
    })

    it('refuses records of another layout', () => {
      const open = (fields: Parameters<typeof record>[0], count = 4): lib.Queue | number =>
        addon.openPoints(new ThreadSafeQueue(1, { type: record(fields) }).native, count)
      const opened = open(POINT)
      assert.equal(typeof opened, 'object')
      addon.queueClose(opened as lib.Queue)
      assert.equal(open(POINT, 3), WRONG_LAYOUT, 'a field is missing')
      const { x, n, on, t } = POINT
      assert.equal(open({ x, n, on, t, z: x }), WRONG_LAYOUT, 'a field more')
      assert.equal(open({ y: x, n, on, t }), WRONG_LAYOUT, 'another name')
      assert.equal(open({ x, n: 'uint32', on, t }), WRONG_LAYOUT, 'another type')
      assert.equal(open({ x, on, n, t }), WRONG_LAYOUT, 'another order')
      assert.equal(addon.openPoints(numbers(1).native, 4), WRONG_TYPE)
    })

    it('reports that an addon needs a later version', () => {
      assert.equal(addon.openTooNew(numbers(1).native), TOO_OLD)
      assert.match(addon.statusText(TOO_OLD), /older than this addon needs/)
    })
  })

  describe('a call', () => {
    it('that does not wait returns OK, FULL, EMPTY or CLOSED', () => {
      const queue = numbers(2)
      const opened = openNumbers(queue)
      assert.deepEqual(addon.tryGet(opened), { status: EMPTY })
      assert.equal(addon.tryPut(opened, 1), OK)
      assert.equal(addon.tryPut(opened, NaN), OK)
      assert.equal(addon.tryPut(opened, 3), FULL)
      assert.equal(queue.tryGet(), 1)
      queue.putSync(4)
      assert.deepEqual(addon.tryGet(opened), { status: OK, item: NaN })
      queue.close()
      assert.equal(addon.tryPut(opened, 5), CLOSED)
      assert.deepEqual(addon.tryGet(opened), { status: OK, item: 4 })
      assert.deepEqual(addon.tryGet(opened), { status: CLOSED })
      assert.deepEqual(addon.get(opened, FOREVER), { status: CLOSED })
      assert.equal(addon.put(opened, 5, FOREVER), CLOSED)
      addon.queueClose(opened)
    })

    it('that waits does so for as long as it was told', () => {
      const opened = openNumbers(numbers(1))
      const before = performance.now()
      assert.deepEqual(addon.get(opened, 30), { status: TIMEOUT })
      assert.deepEqual(addon.get(opened, 0), { status: TIMEOUT })
      assert.equal(addon.put(opened, 1, 30), OK)
      assert.equal(addon.put(opened, 2, 30), TIMEOUT)
      assert.equal(addon.put(opened, 2, 0), TIMEOUT)
      const took = performance.now() - before
      assert.ok(took >= 59 && took < 1000, `${took} ms`)
      assert.deepEqual(addon.get(opened, FOREVER), { status: OK, item: 1 })
      addon.queueClose(opened)
    })

    it('obeys the overflow policy, and counts what it drops', () => {
      const newest = numbers(1, { overflow: 'drop-newest' })
      let opened = openNumbers(newest)
      assert.deepEqual([addon.tryPut(opened, 1), addon.tryPut(opened, 2), addon.put(opened, 3, 1)], [OK, DROPPED, TIMEOUT])
      assert.equal(newest.tryGet(), 1)
      addon.queueClose(opened)
      const oldest = numbers(1, { overflow: 'drop-oldest' })
      opened = openNumbers(oldest)
      assert.deepEqual([addon.tryPut(opened, 1), addon.tryPut(opened, 2), addon.putOrDrop(opened, 3)], [OK, OK, OK])
      assert.equal(oldest.tryGet(), 3)
      addon.queueClose(opened)
      const reject = numbers(1)
      opened = openNumbers(reject)
      assert.deepEqual([addon.putOrDrop(opened, 1), addon.putOrDrop(opened, 2), addon.tryPut(opened, 3)], [OK, DROPPED, FULL])
      assert.equal(reject.tryGet(), 1)
      addon.queueClose(opened)
    })

    it('passes every type in both directions', () => {
      const extremes: [string, unknown, NodeJS.TypedArray][] = [
        ['boolean', true, new Uint8Array([1])],
        ['int8', -128, new Int8Array([-128])],
        ['uint8', 255, new Uint8Array([255])],
        ['int16', -32768, new Int16Array([-32768])],
        ['uint16', 65535, new Uint16Array([65535])],
        ['int32', -(2 ** 31), new Int32Array([-(2 ** 31)])],
        ['uint32', 2 ** 32 - 1, new Uint32Array([2 ** 32 - 1])],
        ['bigint64', -(2n ** 63n), new BigInt64Array([-(2n ** 63n)])],
        ['biguint64', 2n ** 64n - 1n, new BigUint64Array([2n ** 64n - 1n])],
        ['float32', -1.5, new Float32Array([-1.5])],
        ['float64', Number.MIN_VALUE, new Float64Array([Number.MIN_VALUE])],
      ]
      for (const [type, item, encoded] of extremes) {
        const queue = new ThreadSafeQueue<unknown>(2, { type: type as 'int8' })
        const bytes = new Uint8Array(encoded.buffer)
        const opened = openQueue(queue, TYPES[type as 'int8'], bytes.length)
        assert.equal(addon.putRaw(opened, bytes, -1), OK)
        assert.equal(queue.getSync(), item)
        // JavaScript puts a number in two ways: through WebAssembly, and (if the call waits or must
        // obey a policy) through the addon.
        queue.putSync(item)
        queue.putManySync([item])
        for (let k = 0; k < 2; k++) {
          const buffer = new Uint8Array(bytes.length)
          assert.deepEqual(addon.getRaw(opened, buffer), { status: OK, bytes: bytes.length })
          assert.deepEqual(buffer, bytes)
        }
        assert.equal(addon.putRaw(opened, new Uint8Array(bytes.length + 1), -1), WRONG_SIZE)
        assert.equal(addon.getRaw(opened, new Uint8Array(bytes.length - 1)).status, WRONG_SIZE)
        addon.queueClose(opened)
      }
    })

    it('passes records in both directions', () => {
      const queue = new ThreadSafeQueue(2, { type: record(POINT) })
      const opened = addon.openPoints(queue.native, 4) as lib.Queue
      assert.equal(addon.putPoint(opened, 1.5, -7, 1, 2 ** 40), OK)
      assert.deepEqual(queue.getSync(), { x: 1.5, n: -7, on: true, t: 2n ** 40n })
      queue.putSync({ x: -0.5, n: 2 ** 31 - 1, on: false, t: 9n })
      assert.deepEqual(addon.getPoint(opened), { status: OK, x: -0.5, n: 2 ** 31 - 1, on: 0, t: 9 })
      assert.equal(addon.getPoint(opened).status, EMPTY)
      addon.queueClose(opened)
    })

    it('passes bytes of any length, which may span slots', () => {
      const queue = new ThreadSafeQueue(4, { type: 'bytes', itemBytes: 16 })
      const opened = openQueue(queue, TYPES.bytes, 0)
      for (let length = 0; length <= 64; length++) {
        const item = Uint8Array.from({ length }, (_, k) => k + length)
        assert.equal(addon.putRaw(opened, item, length % 2 === 0 ? -1 : 10), OK)
        assert.deepEqual(queue.getSync(), item)
        queue.putSync(item)
        if (length > 0) assert.deepEqual(addon.getRaw(opened, new Uint8Array(length - 1)), { status: TOO_SMALL, bytes: length })
        const buffer = new Uint8Array(80)
        assert.deepEqual(addon.getRaw(opened, buffer), { status: OK, bytes: length })
        assert.deepEqual(buffer.subarray(0, length), item)
      }
      assert.equal(addon.putRaw(opened, new Uint8Array(65), -1), TOO_LARGE)
      assert.equal(addon.putRaw(opened, new Uint8Array(65), 10), TOO_LARGE)
      addon.queueClose(opened)
    })

    it('can close the queue for everybody', async () => {
      const queue = numbers(4)
      const opened = openNumbers(queue)
      const waiting = assert.rejects(within('the end', queue.get()), { code: 'ERR_QUEUE_CLOSED' })
      assert.equal(addon.queueEnd(opened), OK)
      await waiting
      assert.equal(queue.closed, true)
      addon.queueClose(opened)
    })

    it('of an event sets it, clears it, reads it or waits for it', async () => {
      const event = new ThreadSafeEvent()
      const opened = openEvent(event)
      assert.equal(addon.eventIsSet(opened), 0)
      assert.equal(addon.eventWait(opened, 20), TIMEOUT)
      assert.equal(addon.eventWait(opened, 0), TIMEOUT)
      const waiting = event.wait()
      assert.equal(addon.eventSet(opened), OK)
      assert.equal(addon.eventClear(opened), OK)
      await within('the event', waiting)
      assert.equal(event.isSet(), false)
      event.set()
      assert.equal(addon.eventIsSet(opened), 1)
      assert.equal(addon.eventWait(opened, FOREVER), OK)
      addon.eventClose(opened)
    })
  })

  describe('a call that blocks the thread of JavaScript', () => {
    /** Asserts that later calls of the package throw nothing that an earlier one left behind. */
    async function goesOn(): Promise<void> {
      const queue = numbers(2)
      queue.putSync(1)
      assert.equal(queue.getSync(), 1)
      assert.throws(() => queue.getSync({ timeout: 1 }), TimeoutError)
      const waiting = queue.get()
      start('produce', queue, 1)
      assert.equal(await within('the item', waiting), 0)
    }

    it('ends when the time of a script of node:vm is up, and leaves nothing behind', async () => {
      const opened = openNumbers(numbers(1))
      let status: number | undefined
      const get = (): void => {
        ;({ status } = addon.get(opened, FOREVER))
      }
      assert.throws(() => runInNewContext('get()', { get }, { timeout: 100 }), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' })
      // Node 20 stops the script as the call returns, later ones a little later.
      assert.ok(status === undefined || status === CLOSED, `it returned ${status}`)
      await goesOn()
      addon.queueClose(opened)
    })

    it('lasts as long as it was told, also where hardly any stack is left', async () => {
      const opened = openNumbers(numbers(1))
      const deep = (): number => {
        try {
          return deep()
        } catch {
          return addon.get(opened, 200).status
        }
      }
      assert.equal(deep(), TIMEOUT)
      await goesOn()
      addon.queueClose(opened)
    })
  })

  describe('a cancelled handle', () => {
    it('returns CLOSED, while the queue goes on', () => {
      const queue = numbers(1)
      const [first, second] = [openNumbers(queue), openNumbers(queue)]
      assert.equal(addon.queueCancel(first), OK)
      assert.equal(addon.queueCancel(first), OK)
      assert.deepEqual([addon.tryPut(first, 1), addon.put(first, 1, 1), addon.putOrDrop(first, 1)], [CLOSED, CLOSED, CLOSED])
      assert.deepEqual([addon.tryGet(first).status, addon.get(first, FOREVER).status, addon.queueEnd(first)], [CLOSED, CLOSED, CLOSED])
      assert.equal(addon.tryPut(second, 2), OK)
      assert.equal(queue.getSync(), 2)
      addon.queueClose(first)
      addon.queueClose(second)
    })

    it('of an event returns CLOSED too', () => {
      const event = openEvent(new ThreadSafeEvent())
      assert.equal(addon.eventCancel(event), OK)
      assert.deepEqual([addon.eventSet(event), addon.eventClear(event), addon.eventWait(event, FOREVER)], [CLOSED, CLOSED, CLOSED])
      assert.equal(addon.eventIsSet(event), -CLOSED)
      addon.eventClose(event)
    })

    it('wakes calls that wait with it at once, and no others', async () => {
      const full = numbers(1)
      full.putSync(0)
      const event = new ThreadSafeEvent()
      const others = [start('consume', numbers(1)), start('produce', full), start('wait', event)]
      for (const [work, target, blocked] of [
        ['consume', numbers(1), 1],
        ['produce', full, 2],
        ['wait', event, 2],
      ] as const) {
        const job = start(work, target)
        await until('the blocked threads', () => threadsBlocked(target) === blocked)
        const before = performance.now()
        addon.cancel(job)
        assert.equal((await done(job)).status, CLOSED)
        assert.ok(performance.now() - before < 1000)
      }
      assert.deepEqual(
        others.map((other) => addon.look(other).done),
        [0, 0, 0],
      )
    })
  })

  it('is shown in docs/native.md by an addon that compiles as printed, and runs', async () => {
    const markdown = readFileSync(join(lib.root, 'docs', 'native.md'), 'utf8')
    const directory = mkdtempSync(join(tmpdir(), 'threadsafe-docs-'))
    try {
      const names: string[] = []
      for (const [, name, text] of markdown.matchAll(/^`([\w.]+)`:\n\n```\w*\n([^]*?)^```$/gm)) {
        names.push(name as string)
        writeFileSync(join(directory, name as string), text as string)
      }
      assert.deepEqual(names.sort(), ['binding.gyp', 'main.mjs', 'sensor.c'])
      mkdirSync(join(directory, 'node_modules'))
      symlinkSync(lib.root, join(directory, 'node_modules', 'threadsafe'), 'junction')
      await nodeGyp(directory)
      const { stdout, stderr } = await execute(process.execPath, [join(directory, 'main.mjs')], { cwd: directory, timeout: 20_000 })
      const [, printed] = /It prints:\n\n```text\n([^]*?)```/.exec(markdown) as RegExpExecArray
      assert.deepEqual([stdout, stderr], [printed, ''])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
