/**
 * Values from another realm of this thread, such as the node:vm contexts of Jest and Vitest, are
 * recognized whatever their prototypes are.
 */
import assert from 'node:assert/strict'
import { createContext, runInContext } from 'node:vm'
import { type NumericType, record, ThreadSafeQueue } from '../../lib/index.js'

const context = createContext({})
const there = <T>(code: string): T => runInContext(`(${code})`, context) as T

const NUMERIC: NumericType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'bigint64', 'biguint64', 'float32', 'float64']
const arrayName = (type: NumericType): string =>
  ({ int: 'Int', uint: 'Uint', bigint: 'BigInt', biguint: 'BigUint', float: 'Float' })[type.replace(/[0-9]+/, '')] +
  type.replace(/[a-z]+/, '') +
  'Array'

describe('of another realm:', () => {
  for (const type of NUMERIC) {
    it(`${arrayName(type)} is accepted as \`into\`, and as items`, () => {
      const big = type.startsWith('big')
      // The cast is for the compiler alone.
      const queue = new ThreadSafeQueue(8, { type: type as 'float64' })
      const literal = big ? '[1n, 2n, 3n]' : '[1, 2, 3]'
      const items = there<Iterable<number>>(`${arrayName(type)}.from(${literal})`)
      assert.equal(queue.putManySync(items), 3)
      const into = there<Float64Array<ArrayBuffer>>(`new ${arrayName(type)}(3)`)
      assert.equal(queue.getManySync(8, { into }), into)
      assert.deepEqual(Array.from(into as Iterable<unknown>), big ? [1n, 2n, 3n] : [1, 2, 3])
      queue.putManySync(items)
      const long = there<Float64Array<ArrayBuffer>>(`new ${arrayName(type)}(5)`)
      assert.deepEqual(Array.from(queue.getManySync(8, { into: long }) as Iterable<unknown>), big ? [1n, 2n, 3n] : [1, 2, 3])
    })
  }

  it('an array of another type is refused as `into`', () => {
    const queue = new ThreadSafeQueue<number>(8, { type: 'float64' })
    for (const code of ['new Float32Array(8)', 'new Uint8Array(8)', 'new DataView(new ArrayBuffer(8))', '[]']) {
      assert.throws(() => queue.getManySync(1, { into: there(code) }), { code: 'ERR_INVALID_ARG_TYPE' })
    }
  })

  it('views and buffers are accepted as bytes, and in records', () => {
    const bytes = new ThreadSafeQueue<Uint8Array>(8, { type: 'bytes' })
    for (const code of [
      'Uint8Array.of(1, 2)',
      'Uint8Array.of(1, 2).buffer',
      'new DataView(Uint8Array.of(1, 2).buffer)',
      'Uint16Array.of(0x201)',
    ]) {
      bytes.putSync(there(code))
      assert.deepEqual(bytes.getSync(), Uint8Array.of(1, 2))
    }
    const records = new ThreadSafeQueue<{ x: number; s: Float32Array; b: Uint8Array }>(2, {
      type: record({ x: 'float64', s: 'float32[2]', b: 'bytes[2]' }),
    })
    records.putSync(there('{ x: 1, s: Float32Array.of(2, 3), b: Uint8Array.of(4, 5).buffer }'))
    assert.deepEqual(records.getSync(), { x: 1, s: Float32Array.of(2, 3), b: Uint8Array.of(4, 5) })
  })

  it('values come out of an "any" queue as values of this realm', () => {
    const queue = new ThreadSafeQueue(8, { itemBytes: 1024 })
    for (const [code, value] of [
      ['{ a: [1, { b: "text" }], c: null }', { a: [1, { b: 'text' }], c: null }],
      ['new Map([[1, new Set([2])]])', new Map([[1, new Set([2])]])],
      ['new Date(5)', new Date(5)],
      ['Uint16Array.of(1, 2)', Uint16Array.of(1, 2)],
      ['[new Float64Array(2), new DataView(new ArrayBuffer(3))]', [new Float64Array(2), new DataView(new ArrayBuffer(3))]],
      ['Object.create(null, { x: { value: 1, enumerable: true } })', { x: 1 }],
      ['({ get x() { return { y: 1 } } })', { x: { y: 1 } }],
    ] as const) {
      queue.putSync(there(code))
      assert.deepEqual(queue.getSync(), value)
    }
  })

  it('a WebAssembly module is refused, as one of this realm is', () => {
    const queue = new ThreadSafeQueue(1)
    const empty = 'new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))'
    assert.throws(() => queue.putSync(there(empty)), { name: 'DataCloneError' })
    assert.throws(() => queue.putSync({ module: there<object>(empty) }), { name: 'DataCloneError' })
  })

  it('a handle is accepted, and its memory', () => {
    const queue = new ThreadSafeQueue<number>(4, { type: 'float64' })
    const { memory } = queue.handle as unknown as { memory: WebAssembly.Memory }
    const copy = there<(bytes: Uint8Array) => WebAssembly.Memory>(`(bytes) => {
      const pages = bytes.length / 65536
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
      new Uint8Array(memory.buffer).set(bytes)
      return memory
    }`)(new Uint8Array(memory.buffer))
    assert.ok(!(copy instanceof WebAssembly.Memory))
    const other = ThreadSafeQueue.from<number>({ ...queue.handle, memory: copy } as never)
    other.putSync(5)
    assert.deepEqual([other.getSync(), queue.qsize()], [5, 0])
  })
})
