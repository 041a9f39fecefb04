/**
 * Errors: messages that say in one line what was wrong and what to do, and stacks that begin where
 * they should.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { QueueClosedError, record, select, ThreadSafeEvent, ThreadSafeQueue } from '../lib/index.js'

type AnyError = Error & { code?: unknown }

function thrown(call: () => unknown): AnyError {
  try {
    call()
  } catch (error) {
    return error as AnyError
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

const any = (value: unknown): never => value as never

describe('errors', () => {
  describe('of from()', () => {
    const queue = new ThreadSafeQueue(4)
    const event = new ThreadSafeEvent()
    for (const [what, call, pattern] of [
      ['the queue', () => ThreadSafeQueue.from(any(queue)), /pass its \.handle/],
      ['the queue, posted', () => ThreadSafeQueue.from(any(structuredClone(queue))), /pass its \.handle/],
      ['the event', () => ThreadSafeEvent.from(any(event)), /pass its \.handle/],
      ['the event, posted', () => ThreadSafeEvent.from(any(structuredClone(event))), /pass its \.handle/],
      ['a handle that went through JSON', () => ThreadSafeQueue.from(any(JSON.parse(JSON.stringify(queue.handle)))), /within one process/],
      [
        'an event handle that went through JSON',
        () => ThreadSafeEvent.from(any(JSON.parse(JSON.stringify(event.handle)))),
        /within one process/,
      ],
      ["an event's handle", () => ThreadSafeQueue.from(any(event.handle)), /handle of a ThreadSafeQueue/],
    ] as const) {
      it(`say what is wrong with ${what}`, () => {
        const error = thrown(call)
        assert.equal(error.name, 'TypeError')
        assert.equal(error.code, 'ERR_INVALID_ARG_TYPE')
        assert.match(error.message, pattern)
      })
    }
  })

  describe('of a type', () => {
    for (const [type, meant] of [
      ['number', 'float64'],
      ['double', 'float64'],
      ['Float64Array', 'float64'],
      [Number, 'float64'],
      ['float', 'float32'],
      ['int', 'int32'],
      ['u8', 'uint8'],
      ['Int32', 'int32'],
      ['bigint', 'bigint64'],
      ['bool', 'boolean'],
      [String, 'string'],
      ['Buffer', 'bytes'],
      [Uint8Array, 'bytes'],
      ['object', 'any'],
      ['json', 'any'],
    ] as const) {
      it(`${typeof type === 'string' ? `'${type}'` : type.name} suggest '${meant}'`, () => {
        const error = thrown(() => new ThreadSafeQueue(1, { type: any(type) }))
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE')
        assert.match(error.message, new RegExp(`Did you mean '${meant}'\\?$`))
      })
    }

    it('that is an object of fields suggest record()', () => {
      const error = thrown(() => new ThreadSafeQueue(1, { type: any({ x: 'float64' }) }))
      assert.equal(error.code, 'ERR_INVALID_ARG_VALUE')
      assert.match(error.message, /record\(\)/)
    })

    for (const type of ['nothing like it', 'constructor', '', 5, null, Symbol('x')]) {
      it(`${String(type)} suggest nothing`, () => {
        assert.doesNotMatch(thrown(() => new ThreadSafeQueue(1, { type: any(type) })).message, /Did you mean|record\(\) *$/)
      })
    }
  })

  describe('of an item', () => {
    const queue = new ThreadSafeQueue(4)
    const { port1 } = new MessageChannel()
    after(() => port1.close())
    const send = /postMessage\(\) or workerData/
    for (const [what, item, pattern] of [
      ['a handle', queue.handle, /handle.*postMessage/],
      ['a handle in an object', { reply: queue.handle }, /handle.*postMessage/],
      ['a queue', queue, /handle.*postMessage/],
      ['an event in an array', [new ThreadSafeEvent()], /handle.*postMessage/],
      ['a SharedArrayBuffer', new SharedArrayBuffer(100_000), /handle.*postMessage/],
      ['a shared memory', new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }), send],
      ['a MessagePort', port1, send],
      ['a KeyObject', { key: createSecretKey(Buffer.alloc(16)) }, send],
      ['a Blob', new Blob(['x'.repeat(10_000)]), send],
      ['a function of many lines', { run: new Function('return [\n' + '1,\n'.repeat(1000) + ']') }, /plain data/],
      ['a WeakMap', new WeakMap(), /plain data/],
    ] as const) {
      it(`${what} say in one line what to do instead`, () => {
        const error = thrown(() => queue.putSync(item))
        assert.equal(error.name, 'DataCloneError')
        assert.match(error.message, pattern)
        assert.doesNotMatch(error.message, /\n/)
        assert.ok(error.message.length < 300, `${error.message.length} characters`)
        assert.equal(queue.qsize(), 0)
      })
    }

    it('that is too large name both sizes, and itemBytes', () => {
      const error = thrown(() => new ThreadSafeQueue(4, { type: 'bytes', itemBytes: 16 }).putSync(new Uint8Array(1000)))
      assert.equal(error.code, 'ERR_ITEM_TOO_LARGE')
      for (const part of [/\b1000\b/, /\b64\b/, /itemBytes/, /capacity 4/]) assert.match(error.message, part)
      assert.match(error.message, /\b250 is enough/)
      new ThreadSafeQueue(4, { type: 'bytes', itemBytes: 250 }).putSync(new Uint8Array(1000))
    })
  })

  it('show a large value in one short line', () => {
    for (const value of [
      'x\n'.repeat(10_000),
      Array.from({ length: 1000 }, () => 'y'),
      new Uint8Array(100_000),
      new ArrayBuffer(100_000),
      { a: 'z'.repeat(1000) },
    ]) {
      const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
      for (const error of [
        thrown(() => queue.putSync(any(value))),
        thrown(() => ThreadSafeQueue.from(any(value))),
        thrown(() => new ThreadSafeQueue(1, { overflow: any(value) })),
        thrown(() => new ThreadSafeQueue(any(value))),
      ]) {
        assert.doesNotMatch(error.message, /\n/)
        assert.ok(error.message.length < 300, error.message)
      }
    }
  })

  it('show a value that throws when it is inspected', () => {
    const nasty = {
      [Symbol.for('nodejs.util.inspect.custom')]: () => assert.fail('code of the value was run'),
      get [Symbol.toStringTag]() {
        throw new Error('mine')
      },
    }
    assert.equal(thrown(() => new ThreadSafeQueue(1, { type: 'string' }).putSync(any(nasty))).code, 'ERR_INVALID_ARG_TYPE')
  })

  it('of max name the range', () => {
    const queue = new ThreadSafeQueue(1)
    for (const max of [0, -1, 1.5, NaN]) assert.match(thrown(() => queue.getManySync(max)).message, /a whole number, at least 1\./)
  })

  it('name the capacity', async () => {
    const queue = new ThreadSafeQueue(3, { type: 'float64' })
    assert.match(thrown(() => queue.getSync()).message, /capacity 3/)
    assert.match(((await queue.get({ timeout: 1 }).catch((error: unknown) => error as AnyError)) as AnyError).message, /1 ms.*capacity 3/)
    for (let k = 0; k < 3; k++) queue.putSync(k)
    assert.match(thrown(() => queue.putSync(4)).message, /capacity 3/)
    queue.close()
    assert.match(thrown(() => queue.putSync(4)).message, /capacity 3/)
  })

  describe('of calls that waited have a stack that begins where they are awaited:', () => {
    const { prepareStackTrace } = Error
    before(() => Reflect.deleteProperty(Error, 'prepareStackTrace'))
    after(() => (Error.prepareStackTrace = prepareStackTrace))
    const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
    const full = new ThreadSafeQueue<number>(1, { type: 'float64' })
    full.putSync(1)
    const event = new ThreadSafeEvent()
    const calls: Record<string, () => Promise<unknown>> = {
      get: () => queue.get({ timeout: 1 }),
      getMany: () => queue.getMany(2, { timeout: 1 }),
      put: () => full.put(2, { timeout: 1 }),
      putMany: () => full.putMany([2, 3], { timeout: 1 }),
      wait: () => event.wait({ timeout: 1 }),
      select: () => select([queue, event], { timeout: 1 }),
      'get of a queue that is closed': () => {
        const closed = new ThreadSafeQueue(1)
        setTimeout(() => closed.close(), 1)
        return closed.get()
      },
    }
    for (const [what, call] of Object.entries(calls)) {
      it(what, async () => {
        async function theCaller(): Promise<unknown> {
          return await call()
        }
        const error = await theCaller().then(
          () => assert.fail('it did not reject'),
          (reason: unknown) => reason as AnyError,
        )
        assert.match(error.stack?.split('\n')[1] ?? '', /theCaller/, error.stack)
      })
    }
  })

  it('are known by instanceof, and their subclasses by theirs', () => {
    const error = thrown(() => {
      const queue = new ThreadSafeQueue(1)
      queue.close()
      queue.getSync()
    })
    class Mine extends QueueClosedError {}
    assert.ok(error instanceof QueueClosedError)
    assert.ok(!(error instanceof Mine))
    assert.ok(new Mine() instanceof QueueClosedError)
  })

  it('of a record type whose fields have getters are like those of others', () => {
    let read = 0
    const fields = {
      get x() {
        return read++ === 0 ? 'float64' : 'no such type'
      },
    }
    const type = record(any(fields))
    assert.deepEqual([type.bytes, type.fields, read], [8, { x: 'float64' }, 1])
  })
})

describe('building without a compiler', () => {
  it('fails with a line of our own', function () {
    if (process.platform === 'win32') this.skip()
    const nothing = mkdtempSync(join(tmpdir(), 'threadsafe-build-'))
    try {
      const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))
      const { status, stderr } = spawnSync(process.execPath, [script], { env: { PATH: nothing }, encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, /^threadsafe: .*C\+\+20 compiler, make and python3.*\n$/)
    } finally {
      rmSync(nothing, { recursive: true })
    }
  })
})
