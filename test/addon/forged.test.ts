/**
 * Memory that was forged or overwritten leads to an error, never to a crash. The C++ tests
 * (native/test) do the same to the calls of native code.
 */
import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { deserialize } from '../../lib/codec/structured.js'
import { BufferPool, Lock, Message, record, SharedRecord, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { runProcess, SHARE } from '../support.js'

interface Handle {
  threadsafe: string
  version: number
  memory: WebAssembly.Memory
  type?: unknown
}

const handleOf = (target: { handle: unknown }): Handle => target.handle as Handle

describe('forged handles and memory', () => {
  it('crash nothing, whichever word was overwritten, and whichever call uses it', async function () {
    this.timeout(120_000)
    const { code, signal, stdout, stderr } = await runProcess('forged-process', [String(40 * SHARE)], 100_000)
    assert.deepEqual([code, signal, stderr], [0, null, ''], stdout)
    assert.match(stdout, /^\d{2,} cases, \d+ ended$/m)
  })

  const whole = handleOf(new ThreadSafeQueue(4, { type: 'bytes' }))
  const memory = (initial: number, maximum: number, shared: boolean) => new WebAssembly.Memory({ initial, maximum, shared })
  const copyOf = (bytes: number): WebAssembly.Memory => {
    const copy = memory(1, 1, true)
    new Uint8Array(copy.buffer).set(new Uint8Array(whole.memory.buffer).subarray(0, bytes))
    return copy
  }
  for (const [what, forged] of [
    ['memory of no bytes', { ...whole, memory: memory(0, 1, true) }],
    ['memory that is not shared', { ...whole, memory: memory(1, 1, false) }],
    ['zeroed memory', { ...whole, memory: memory(1, 1, true) }],
    ['the beginning of a header', { ...whole, memory: copyOf(140) }],
    ['no memory', { ...whole, memory: undefined }],
    ['what only inherits from a memory', { ...whole, memory: Object.create(WebAssembly.Memory.prototype) }],
    ['a proxy of a memory', { ...whole, memory: new Proxy(whole.memory, {}) }],
    ['what says that it has a buffer', { ...whole, memory: { buffer: new SharedArrayBuffer(65536) } }],
    ['another type', { ...whole, type: 'float64', memory: copyOf(65536) }],
    ['another record', { ...whole, type: { record: { x: 'float64' } }, memory: copyOf(65536) }],
    ['a record of no fields', { ...whole, type: { record: {} }, memory: copyOf(65536) }],
    ['a type that is none', { ...whole, type: 'record', memory: copyOf(65536) }],
    ['no type', { ...whole, type: undefined, memory: copyOf(65536) }],
  ] as [string, unknown][]) {
    it(`with ${what} are refused`, () => {
      assert.throws(() => ThreadSafeQueue.from(forged as never), /ERR_INVALID_ARG|ERR_INCOMPATIBLE|handle/)
    })
  }

  const point = record({ x: 'float64' })
  for (const [of, from, handle] of [
    ['an event', ThreadSafeEvent, handleOf(new ThreadSafeEvent())],
    ['a record', SharedRecord, handleOf(new SharedRecord(point))],
    ['a lock', Lock, handleOf(new Lock())],
    ['a message', Message, handleOf(new Message({ type: point }))],
    ['a pool', BufferPool, handleOf(new BufferPool(2, 'uint8[8]'))],
  ] as [string, { from(handle: never): unknown }, Handle][]) {
    it(`of ${of} are refused with other memory, and with another type`, () => {
      const forgeries: [string, unknown][] = [
        ['no bytes', { ...handle, memory: memory(0, 1, true) }],
        ['memory that is not shared', { ...handle, memory: memory(1, 1, false) }],
        ['zeroed memory', { ...handle, memory: memory(1, 1, true) }],
        ["a queue's memory", { ...handle, memory: whole.memory }],
        ['no memory', { ...handle, memory: undefined }],
        ['a proxy of a memory', { ...handle, memory: new Proxy(handle.memory, {}) }],
        ["a queue's handle", whole],
      ]
      if (handle.type !== undefined) {
        for (const type of ['float64', 'uint8[9]', { record: { x: 'int8' } }, { record: {} }, 5])
          forgeries.push([`the type ${String(type)}`, { ...handle, type }])
      }
      assert.doesNotThrow(() => from.from({ ...handle } as never))
      for (const [what, forged] of forgeries)
        assert.throws(() => from.from(forged as never), /ERR_INVALID_ARG|ERR_INCOMPATIBLE|handle/, what)
    })
  }

  it('are read once', () => {
    const target = new ThreadSafeQueue<number>(4, { type: 'float64' })
    const read: Record<string, number> = {}
    const watched = new Proxy(handleOf(target), {
      get: (handle, key: keyof Handle) => {
        read[key] = (read[key] ?? 0) + 1
        return read[key] === 1 ? handle[key] : undefined
      },
    })
    target.putSync(5)
    assert.equal(ThreadSafeQueue.from<number>(watched as never).getSync(), 5)
    assert.ok(
      Object.values(read).every((times) => times === 1),
      JSON.stringify(read),
    )
  })

  it('may be of another realm', () => {
    const target = new ThreadSafeQueue<number>(4, { type: 'float64' })
    const event = new ThreadSafeEvent()
    const there = runInNewContext('(handle) => ({ ...handle })') as (handle: unknown) => never
    target.putSync(7)
    event.set()
    assert.equal(ThreadSafeQueue.from<number>(there(target.handle)).getSync(), 7)
    assert.ok(ThreadSafeEvent.from(there(event.handle)).isSet())
  })

  it('an object whose shape was overwritten changes no object of another queue', () => {
    const [target, other] = [new ThreadSafeQueue<unknown>(4), new ThreadSafeQueue<unknown>(4)]
    // The number of words and the number of keys precede the first key.
    for (const [k, [words, keys]] of [
      [0, 0],
      [1, 0],
      [1, 2],
      [2, 0],
      [2, 5],
      [4, 9],
      [65_535, 2],
    ].entries()) {
      const make = (): object => ({ [`damaged${k}`]: 1, b: 2 })
      target.putSync(make())
      const bytes = Buffer.from(handleOf(target).memory.buffer)
      const view = new DataView(bytes.buffer)
      for (let at = bytes.indexOf(`damaged${k}`); at >= 0; at = bytes.indexOf(`damaged${k}`, at + 1)) {
        view.setUint16(at - 5, keys as number, true)
        view.setUint16(at - 3, words as number, true)
      }
      try {
        // What the damage has left may still look like an object.
        target.getSync()
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_DAMAGED_MEMORY', `${words} words, ${keys} keys: ${String(error)}`)
      }
      for (let times = 0; times < 3; times++) {
        other.putSync(make())
        assert.deepEqual(other.getSync(), make())
      }
    }
  })

  // Looks for `found` in the memory, and sets the byte at that distance from it to `value`.
  for (const [what, item, found, distance, value] of [
    ['a view of a kind that does not exist', Uint8Array.of(250, 251, 252), Buffer.of(250, 251, 252), -7, 200],
    ['something that no V8 has serialized', new Map([['abc', 1]]), 'abc', -5, 0],
    ['a value of a kind that does not exist', { abcd: true }, 'abcd', 7, 14],
    ['a view that is longer than its item', new Map([['abc', Uint8Array.of(250, 251)]]), Buffer.of(250, 251), -1, 0x7f],
    ['a string that is longer than its item', { key: 'x'.repeat(100) }, 'xxx', -1, 0x7f],
  ] as [string, unknown, string | Buffer, number, number][]) {
    for (const itemBytes of [512, 16_384]) {
      it(`an item that became ${what} is damaged, in slots of ${itemBytes} bytes`, () => {
        const target = new ThreadSafeQueue<unknown>(2, { itemBytes })
        target.putSync(item)
        const bytes = Buffer.from(handleOf(target).memory.buffer)
        // This finds the item in its slot. The copies in staging areas lie behind it, and a get
        // overwrites them.
        const at = bytes.indexOf(found)
        assert.ok(at > 0)
        bytes[at + distance] = value
        assert.throws(() => target.getSync(), { code: 'ERR_DAMAGED_MEMORY' })
        target.putSync(item)
        assert.deepEqual(target.getSync(), item)
      })
    }
  }

  it('a view that claims to have 4 GiB allocates no memory', () => {
    // A host object, its kind (an Int8Array), and its length as a variable-length integer.
    const bytes = Uint8Array.of(0xff, 15, 0x5c, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3)
    const before = process.memoryUsage().arrayBuffers
    assert.throws(() => deserialize(bytes))
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 30)
  })

  it('an item longer than any queue can hold is reported, and stays', () => {
    for (const type of ['bytes', 'any', 'string'] as const) {
      const target = new ThreadSafeQueue<unknown>(2, { type })
      target.putSync(type === 'bytes' ? new Uint8Array(4) : 'text')
      const words = new Uint32Array(handleOf(target).memory.buffer)
      const stamp = words.findIndex((word, k) => k >= 288 && word === 1)
      words[stamp + 1] = 0xfffffff0
      const damaged = { code: 'ERR_DAMAGED_MEMORY' }
      assert.throws(() => target.getSync(), damaged)
      assert.throws(() => target.tryGet(), damaged)
      assert.throws(() => target.peek(), damaged)
      assert.throws(() => target.getSync({ timeout: 10 }), damaged)
      assert.throws(() => target.getManySync(2), damaged)
      assert.equal(target.clear(), 0)
      target.close({ discard: true })
    }
  })
})
