/** Values that a queue of 'any' refuses. */
import { strict as assert } from 'node:assert'
import { BlockList } from 'node:net'
import { inspect, types } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { runInNewContext } from 'node:vm'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { assertClone, graphs, primitives, resizable } from './clone-values.js'
import { thrown } from '../support.js'
import { assertDataCloneError, assertRefused, cloned, large, MODULE, runs } from './cloning.js'

describe('a queue of any refuses with a DataCloneError', () => {
  const detached = new Uint8Array(4)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const outOfBounds = (view: (buffer: ArrayBuffer) => ArrayBufferView): ArrayBufferView => {
    const buffer = resizable(16, 16) as ArrayBuffer & { resize(to: number): void }
    const made = view(buffer)
    buffer.resize(2)
    return made
  }
  const { port1, port2 } = new MessageChannel()
  port1.close()
  port2.close()
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const trapped = (): never => {
    throw new Error('a trap must not be called')
  }
  const traps = { get: trapped, ownKeys: trapped, getPrototypeOf: trapped, getOwnPropertyDescriptor: trapped, has: trapped }
  const subtle = crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])

  const REFUSED: [string, unknown][] = [
    ['a function', () => 1],
    ['a bound function', trapped.bind(null)],
    ['an asynchronous function', async () => 1],
    [
      'a class',
      class {
        a = 1
      },
    ],
    ['a function of another realm', runInNewContext('() => 1')],
    ['a symbol', Symbol('s')],
    ['a boxed symbol', Object(Symbol('s'))],
    ['a proxy of an object', new Proxy({}, traps)],
    ['a proxy of an array', new Proxy([], traps)],
    ['a proxy of a map', new Proxy(new Map(), traps)],
    ['a proxy of a function', new Proxy(() => 1, traps)],
    ['a proxy that is revoked', revoked.proxy],
    ['a promise', Promise.resolve(1)],
    ['a weak map', new WeakMap()],
    ['a weak set', new WeakSet()],
    ['a weak reference', new WeakRef({})],
    ['a finalization registry', new FinalizationRegistry(() => {})],
    ['a generator', (function* () {})()],
    ['shared memory', new SharedArrayBuffer(4)],
    ['an empty piece of shared memory', new SharedArrayBuffer(0)],
    ['a shared WebAssembly memory', new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })],
    ['a WebAssembly memory', new WebAssembly.Memory({ initial: 1 })],
    ['a WebAssembly module', new WebAssembly.Module(MODULE)],
    ['a WebAssembly instance', new WebAssembly.Instance(new WebAssembly.Module(MODULE))],
    ['a message port', port1],
    ['a blob', new Blob(['text'])],
    ['a file', new File(['text'], 'name')],
    ['a list of addresses', new BlockList()],
    ['a stream', new ReadableStream()],
    ["a queue's handle", new ThreadSafeQueue(1).handle],
    ["an event's handle", new ThreadSafeEvent().handle],
    ['a detached array buffer', detached.buffer],
    ['a view of a detached array buffer', detached],
    ['a view that is out of bounds', outOfBounds((buffer) => new Uint8Array(buffer, 4, 4))],
    ['a view that is out of bounds, following the length', outOfBounds((buffer) => new Uint32Array(buffer, 8))],
    ['a data view that is out of bounds', outOfBounds((buffer) => new DataView(buffer, 8, 2))],
  ]

  for (const [what, value] of REFUSED) {
    it(`${what}, at whatever depth`, async () => {
      let deep: unknown = value
      for (let k = 0; k < 100; k++) deep = { k, list: [1, deep] }
      const getting = {
        before: 1,
        get value() {
          return value
        },
        after: 2,
      }
      const places = [value, deep, new Map([[value, 1]]), new Map([[1, new Set([value])]]), Object.assign([1, 2], { value }), getting]
      for (const place of places) await assertRefused(() => place)
      await assertRefused(() => new Error('e', { cause: value }))
    })
  }

  it('keys of Web Crypto', async () => {
    const key = await subtle
    await assertRefused(() => key)
    await assertRefused(() => [{ key }])
  })

  it('the namespace of a module as structuredClone does', async () => {
    const namespace = (await import('../support.js')) as unknown
    await assertRefused(() => namespace)
  })

  it('an object that can not be shown in a message', async () => {
    const nasty = Object.defineProperty(() => 1, inspect.custom, { value: trapped })
    await assertRefused(() => nasty)
    await assertRefused(() => Object.defineProperty(new Blob([]), inspect.custom, { value: trapped }))
  })

  it('random values with one of these anywhere inside, if structuredClone refuses them', () => {
    const queue = large()
    // Each is made when it is needed, as fast-check looks into the values that it is given.
    const kinds = [
      () => trapped,
      () => Symbol('s'),
      () => new Proxy({}, traps),
      () => new WeakMap(),
      () => Promise.resolve(),
      () => detached,
      () => detached.buffer,
    ]
    const poison = fc.nat(kinds.length - 1)
    let [tried, refused] = [0, 0]
    fc.assert(
      fc.property(graphs, poison, fc.nat(50), primitives, (value, kind, place, good) => {
        const bad = (kinds[kind] as () => unknown)()
        // Puts the value somewhere into the graph where a property can be written.
        const seen = new Set<object>([value])
        for (const one of seen) {
          for (const key of Object.keys(one)) {
            const next: unknown = Reflect.get(one, key)
            if (typeof next === 'object' && next !== null && !types.isTypedArray(next)) seen.add(next)
          }
        }
        const hosts = [...seen].filter((one) => Object.isExtensible(one))
        const host = hosts[place % hosts.length]
        if (host instanceof Map && types.isMap(host)) host.set(place % 2 ? bad : good, place % 2 ? good : bad)
        else if (host instanceof Set && types.isSet(host)) host.add(bad)
        else if (host !== undefined)
          Object.defineProperty(host, `bad${place}`, { value: bad, enumerable: place % 5 > 0, configurable: true })
        const expected = cloned(value)
        tried++
        if (expected) {
          queue.putSync(value)
          assertClone(queue.getSync(), expected.clone)
        } else {
          refused++
          assertDataCloneError(thrown(() => queue.putSync(value)))
          assert.equal(queue.qsize(), 0)
        }
      }),
      runs(3000),
    )
    assert.ok(refused > tried / 6, `${refused} of ${tried} were refused`)
  })
})
