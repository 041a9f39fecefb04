/** Batches of messages go through staging areas together, and come out as they went in. */
import { strict as assert } from 'node:assert'
import { type ElementType, record, ThreadSafeQueue } from '../../lib/index.js'
import { thrown } from '../support.js'

interface Kind {
  readonly name: string
  readonly type: ElementType
  readonly make: (k: number) => unknown
}

const WIDE = 'ŝ\ud800'

const KINDS: readonly Kind[] = [
  { name: 'short texts', type: 'string', make: (k) => 'é'.repeat(k % 30) },
  {
    name: 'texts of which some are wide',
    type: 'string',
    make: (k) => (k % 7 === 3 ? WIDE.repeat(k % 50) : `${k} ` + '\xff'.repeat(k % 200)),
  },
  { name: 'wide texts', type: 'string', make: (k) => WIDE + k },
  { name: 'texts longer than a staging area among others', type: 'string', make: (k) => `${k}`.repeat(k % 10 === 5 ? 3000 : 300) },
  { name: 'objects', type: 'any', make: (k) => ({ k, text: 'x'.repeat(k % 100), list: [k] }) },
  {
    name: 'values of all kinds',
    type: 'any',
    make: (k) => [k, `${k}`, WIDE, null, new Map([[k, k]]), Buffer.alloc(k % 9000, k).toString(), [], undefined][k % 8],
  },
  { name: 'buffers', type: 'bytes', make: (k) => new Uint8Array(k % 10 === 5 ? 9000 : k % 150).fill(k) },
  { name: 'records', type: record({ x: 'float64', id: 'uint16' }), make: (k) => ({ x: k / 3, id: k }) },
  { name: 'arrays', type: 'float64[9]', make: (k) => new Float64Array(9).fill(k) },
]

describe('messages that go together', () => {
  for (const { name, type, make } of KINDS) {
    it(`keep order and content: ${name}`, () => {
      for (const capacity of [1000, 1777]) {
        const queue = new ThreadSafeQueue<unknown>(capacity, { type: type as 'any' })
        let put = 0
        let got = 0
        for (let round = 0; round < 60; round++) {
          const count = 1 + ((round * 37) % 300)
          const items = Array.from({ length: count }, (_, k) => make(put + k))
          put += queue.putManySync(items)
          const most = 1 + ((round * 53) % 400)
          for (const item of queue.empty() ? [] : queue.getManySync(most)) assert.deepEqual(item, make(got++))
          // Takes one item by itself now and then.
          const one = queue.tryGet()
          if (one !== undefined || got < put) assert.deepEqual(one, make(got++))
        }
        while (!queue.empty()) for (const item of queue.getManySync(1000)) assert.deepEqual(item, make(got++))
        assert.equal(got, put)
        assert.ok(got > 1000, `only ${got} items went through`)
      }
    })
  }

  it('that wait for room are not encoded again for each piece that goes in', async () => {
    async function cost(count: number): Promise<number> {
      const queue = new ThreadSafeQueue(16, { type: 'string' })
      const texts = Array.from({ length: count }, (_, k) => `text ${k}`)
      const start = process.cpuUsage()
      const put = queue.putMany(texts)
      for (const text of texts) assert.equal(await queue.get(), text)
      await put
      const { user, system } = process.cpuUsage(start)
      return user + system
    }
    await cost(4000)
    const few = Math.max(await cost(4000), await cost(4000))
    const many = Math.min(await cost(32_000), await cost(32_000))
    assert.ok(many < 24 * few, `8 times as many texts took ${(many / few).toFixed(1)} times as long`)
  })

  it('go in as far as there is room, and the rest waits', async () => {
    const queue = new ThreadSafeQueue(100, { type: 'string', itemBytes: 10 })
    const texts = Array.from({ length: 80 }, (_, k) => `text ${k}`.padEnd(15))
    // Each takes two slots.
    assert.equal(queue.putManySync(texts), 50)
    const rest = queue.putMany(texts.slice(50))
    assert.deepEqual(await queue.getMany(50), texts.slice(0, 50))
    await rest
    assert.deepEqual(await queue.getMany(50), texts.slice(50))
  })

  it('do not get lost if one of them can not be decoded', () => {
    const queue = new ThreadSafeQueue<object>(100, { itemBytes: 100 })
    const items = Array.from({ length: 30 }, (_, k) => ({ [`broken${k}`]: k }))
    queue.putManySync(items)
    const memory = (queue.handle as unknown as { memory: WebAssembly.Memory }).memory
    const bytes = Buffer.from(memory.buffer)
    // Damages both copies, in the slot and in the staging area: the tag of a key becomes that of a
    // number.
    for (let at = bytes.indexOf('broken20'); at >= 0; at = bytes.indexOf('broken20', at + 1)) bytes[at - 1] = 0
    const others = items.filter((_, k) => k !== 20)
    assert.deepEqual(queue.getManySync(100), others)
    assert.equal((thrown(() => queue.getManySync(100)) as { code?: string }).code, 'ERR_DAMAGED_MEMORY')
    queue.putSync({ good: 1 })
    assert.deepEqual(queue.getManySync(100), [{ good: 1 }])
  })

  it('are taken only if there is enough stack to decode them', () => {
    const queue = new ThreadSafeQueue<unknown>(1000)
    // The first item of each batch needs less stack than those behind it.
    const items = Array.from({ length: 900 }, (_, k) => (k % 20 === 0 ? k : [[[[[[[[[[k]]]]]]]]]]))
    queue.putManySync(items)
    const got: unknown[] = []
    let failed = 0
    // Gets at each depth, from the very end of the stack upwards.
    const deep = (): void => {
      try {
        deep()
      } catch (error) {
        const before = queue.qsize()
        try {
          if (before > 0) got.push(...queue.getManySync(20))
        } catch {
          // A call that reports an item lost earlier takes none.
          if (queue.qsize() < before) failed++
        }
        throw error
      }
    }
    assert.ok(thrown(deep) instanceof RangeError)
    while (!queue.empty()) {
      try {
        got.push(...queue.getManySync(1000))
      } catch {
        // Reports an item that could not be decoded earlier.
      }
    }
    // Each call that failed may have lost the one item that it could not decode.
    assert.ok(got.length + failed >= items.length, `${items.length - got.length} items are lost by ${failed} calls`)
  })
})
