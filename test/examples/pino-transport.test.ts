/**
 * The example of a transport for pino: what it keeps, how it holds back, and what happens when its
 * worker dies.
 */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QueueStream } from '../../examples/pino-transport/queue-stream.js'
import type { Flush } from '../fixtures/pino-destination.js'
import { loopIterations, runProcess, within } from '../support.js'

const DESTINATION = new URL('../fixtures/pino-destination.js', import.meta.url).href
const LEAST_CAPACITY = 193
/** The width of lines of which few fit into the queue. */
const PADDED = 10_000
const FLUSHES: readonly Flush[] = ['callback', 'promise', 'sync']

describe('examples/pino-transport', function () {
  this.timeout(60_000)

  let directory: string
  let file: string
  let gate: Int32Array

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-pino-'))
    file = join(directory, 'log')
    gate = new Int32Array(new SharedArrayBuffer(4))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (): number => Atomics.store(gate, 0, 1)
  const start = ({ flush, ...options }: { sync?: boolean; flush?: Flush } = {}): QueueStream =>
    new QueueStream({ filename: DESTINATION, workerData: { file, gate, flush }, capacity: LEAST_CAPACITY, ...options })
  const written = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  const event = (stream: QueueStream, name: string): Promise<unknown[]> => within(`'${name}'`, once(stream, name), 20_000)

  async function end(stream: QueueStream): Promise<void> {
    const closed = event(stream, 'close')
    stream.end()
    await closed
    assert.ok(stream.writableFinished)
  }

  describe('loses nothing', () => {
    for (const [how, code] of [
      ['exit before it is ready', 0],
      ['exit when it is ready', 0],
      ['an error that nobody catches', 1],
      ['nothing left to do', 0],
    ] as const) {
      it(`at ${how}`, async () => {
        const lines = 20_000
        const outcome = await runProcess('pino-process', [file, String(lines), how], 30_000)
        assert.equal(outcome.code, code, outcome.stderr)
        const expected = Array.from({ length: lines }, (_, k) => `{"level":30,"k":${k},"msg":"line"}\n`)
        assert.equal(written(), expected.join(''))
      })
    }
  })

  it('holds back a program that heeds write() and drain, and keeps the lines of one that does not', async () => {
    const stream = start()
    const lines: string[] = []
    const write = (): boolean => {
      lines.push(`line ${lines.length}\n`)
      return stream.write(lines.at(-1) as string)
    }
    while (write()) assert.ok(lines.length < 10_000, 'write() never returns false')
    assert.ok(stream.writableNeedDrain)
    for (let k = 0; k < 3000; k++) assert.equal(write(), false)
    const drained = event(stream, 'drain')
    open()
    await drained
    assert.equal(stream.writableNeedDrain, false)
    await end(stream)
    assert.equal(written(), lines.join(''))
  })

  it('keeps the order of lines when there is room again before those that waited have gone', async () => {
    open()
    const stream = start()
    const lines: string[] = []
    const write = (): boolean => {
      lines.push(`${String(lines.length).padEnd(PADDED)}\n`)
      return stream.write(lines.at(-1) as string)
    }
    while (write()) assert.ok(lines.length < 100, 'write() never returns false')
    for (let k = 0; k < 20; k++) write()
    // The worker takes what is in the queue. This thread blocks meanwhile, so nothing that waits
    // can follow.
    const deadline = performance.now() + 20_000
    while (written() === '') assert.ok(performance.now() < deadline, 'the worker has written nothing')
    for (let k = 0; k < 20; k++) write()
    await end(stream)
    assert.ok(written() === lines.join(''), 'the lines are not as they were')
  })

  it('calls back from flush() when all that waits for room has been written', async () => {
    const stream = start()
    const lines: string[] = []
    for (let k = 0; k < 100; k++) lines.push(`${String(k).padEnd(PADDED)}\n`)
    for (const line of lines) stream.write(line)
    const flushed = new Promise<string>((resolve, reject) => {
      stream.flush((error) => (error ? reject(error) : resolve(written())))
    })
    open()
    const found = await within('the callback of flush()', flushed)
    assert.equal(found.length, lines.join('').length)
    await end(stream)
  })

  for (const flush of FLUSHES) {
    it(`flushes the destination (${flush})`, async () => {
      const stream = start({ flush })
      stream.write('one\n')
      await within('the callback of flush()', new Promise<void>((resolve) => stream.flush(() => resolve())))
      assert.equal(written(), 'one\nflushed\n')
      await end(stream)
    })
  }

  it('calls back from flush() when the destination has taken what was written, not before', async () => {
    const stream = start()
    stream.write('one\n')
    let flushed = false
    const flushing = new Promise<void>((resolve, reject) => {
      stream.flush((error) => {
        flushed = true
        if (error) reject(error)
        else resolve()
      })
    })
    if (!stream.ready) await event(stream, 'ready')
    await loopIterations(20)
    assert.equal(flushed, false)
    open()
    await within('the callback of flush()', flushing)
    assert.equal(written(), 'one\n')
    stream.write('two\n')
    stream.flushSync()
    assert.match(written(), /^one\n/u)
    await end(stream)
    assert.equal(written(), 'one\ntwo\n')
  })

  it('keeps long lines whole, and blocks in place of keeping them with sync', async () => {
    open()
    const stream = start({ sync: true })
    const lines = Array.from({ length: 40 }, (_, k) => `${'x'.repeat(k)}${'😀'.repeat(20_000)}\n`)
    for (const line of lines) assert.equal(stream.write(line), true)
    assert.equal(stream.writableNeedDrain, false)
    await end(stream)
    assert.ok(written() === lines.join(''), 'the lines are not as they were')
  })

  it('says that the worker has died, also to a flush that is under way', async () => {
    open()
    const stream = start()
    stream.write('one\n')
    await within('a first flush', new Promise<void>((resolve) => stream.flush(() => resolve())))
    const failed = event(stream, 'error')
    stream.write('exit\n')
    const flushing = new Promise((resolve) => stream.flush(resolve))
    const [error] = await failed
    assert.match(String(error), /the worker thread exited/u)
    assert.match(String(await within('the callback of flush()', flushing)), /the worker thread exited/u)
    if (!stream.closed) await event(stream, 'close')
    assert.equal(stream.writable, false)
    const late = event(stream, 'error')
    assert.equal(stream.write('two\n'), false)
    assert.match(String((await late)[0]), /the worker has exited/u)
    stream.flushSync()
    stream.end()
  })

  it('does not block for ever on a worker that dies', async () => {
    const stream = start({ sync: true })
    const failed = event(stream, 'error')
    const began = performance.now()
    stream.write('exit\n')
    for (let k = 0; stream.writable; k++) stream.write(`line ${k}\n`)
    assert.ok(performance.now() - began < 9000, 'only its patience has ended the call')
    assert.match(String((await failed)[0]), /the worker has exited/u)
    if (!stream.closed) await event(stream, 'close')
  })

  it('refuses a queue too small for a piece of a line', () => {
    assert.throws(() => new QueueStream({ filename: DESTINATION, capacity: 100 }), /RangeError: capacity must be at least 193, it is 100/u)
  })
})
