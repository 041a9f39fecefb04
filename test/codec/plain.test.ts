/**
 * Objects that look like those that the encoder of plain objects has learned, but differ: by
 * accessors, holes, or values of other kinds. All are compared with `structuredClone`.
 */
import { strict as assert } from 'node:assert'
import { ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { assertClone, define } from './clone-values.js'
import { runProcess, thrown } from '../support.js'

type Properties = Record<string, unknown>

const large = (): ThreadSafeQueue<unknown> => new ThreadSafeQueue<unknown>(50_000)

const known = (): Properties => ({ first: 1, second: 'two', third: { deep: [1, 2, 3] }, last: [4, 5, 6] })

/**
 * Puts and gets objects of that shape until encoder and decoder have learned it, and V8 has
 * compiled them for it.
 */
function learn(queue: ThreadSafeQueue<unknown>, make: () => unknown = known): void {
  for (let k = 0; k < 3000; k++) {
    queue.putSync(make())
    queue.getSync()
  }
}

function withGetter(object: object, key: PropertyKey, get: (this: Properties) => unknown): object {
  return Object.defineProperty(object, key, { get, enumerable: true, configurable: true })
}

/**
 * Asserts that the value of `make` is cloned as by structuredClone, and that its getters run as
 * often, and in the same order.
 */
function assertReadAsCloned(queue: ThreadSafeQueue<unknown>, make: (log: (what: unknown) => void) => unknown): void {
  const expectedLog: unknown[] = []
  const log: unknown[] = []
  const expected = structuredClone(make((what) => expectedLog.push(what)))
  queue.putSync(make((what) => log.push(what)))
  const got = queue.getSync()
  assertClone(got, expected)
  assert.deepEqual(log, expectedLog)
}

describe('an object of a shape that the encoder has learned', () => {
  const queue = large()
  before(() => learn(queue))

  for (const key of Object.keys(known())) {
    it(`may have an accessor as ${key}, which is read once, even if something after it is not plain`, () => {
      for (const later of [1, new Date(5), new Map([[1, { a: 1 }]]), 10n, new Array(2)]) {
        assertReadAsCloned(queue, (log) =>
          withGetter({ ...known(), later }, key, () => {
            log(key)
            return 'got'
          }),
        )
        assertReadAsCloned(queue, (log) => [
          known(),
          withGetter(known(), key, () => {
            log(key)
            return [later]
          }),
          later,
        ])
      }
    })

    it(`may have an accessor as ${key} that only sets`, () => {
      const object = Object.defineProperty(known(), key, { set: () => assert.fail('the setter was called'), enumerable: true })
      queue.putSync(object)
      assertClone(queue.getSync(), structuredClone(object))
    })

    it(`may have an accessor as ${key} that puts and gets`, () => {
      const other = large()
      const item = withGetter(known(), key, () => {
        other.putSync({ secret: 'of the other queue', list: [1, 'x'.repeat(100_000)] })
        queue.putSync(known())
        return (other.getSync() as { list: unknown[] }).list.length
      })
      queue.putSync(item)
      assertClone(queue.getSync(), known())
      assertClone(queue.getSync(), { ...known(), [key]: 2 })
      assert.equal(queue.qsize(), 0)
    })

    it(`may have an accessor as ${key} that throws, and the next item is put as usual`, () => {
      const mine = new Error('mine')
      const item = withGetter(known(), key, () => {
        throw mine
      })
      for (const one of [item, [known(), { item }]]) assert.equal(thrown(() => queue.putSync(one)), mine) // prettier-ignore
      assert.equal(queue.qsize(), 0)
      queue.putSync(known())
      assertClone(queue.getSync(), known())
    })

    const CHANGES: [string, (object: Properties) => unknown][] = [
      ['deletes what comes', (object) => delete object.last],
      ['deletes what was', (object) => delete object.first],
      [
        'deletes what comes, where the prototype has it',
        (object) => Object.setPrototypeOf(object, { last: 'inherited' }) && delete object.last,
      ],
      ['hides what comes', (object) => Object.defineProperty(object, 'last', { enumerable: false }) && 1],
      ['makes an accessor of what comes', (object) => withGetter(object, 'last', () => 'got') && 1],
      ['changes what was', (object) => Object.defineProperty(object, 'first', { value: 'changed' }) && 1],
      ['adds a key', (object) => (object.more = 1)],
      ['becomes another value', (object) => Object.defineProperty(object, key, { value: 'other' }) && 'got'],
    ]
    for (const [what, change] of CHANGES) {
      it(`may have an accessor as ${key} that ${what}`, () => {
        for (const later of [1, new Date(5)]) {
          assertReadAsCloned(queue, (log) => {
            const object = withGetter(known(), key, function () {
              log(what)
              return change(this)
            })
            return [object, later]
          })
        }
      })
    }
  }

  it('may have any of its values replaced by accessors, at random', () => {
    const KEYS = ['a', 'b', 'c', 'd']
    const part = fc.oneof(
      fc.constantFrom(1, 0.5, 'text', null, undefined, true),
      fc.constant('date'),
      fc.constant('bigint'),
      fc.constant('shared'),
      fc.constant('nested'),
    )
    const recipe = fc.array(fc.record({ accessor: fc.boolean(), part }), { minLength: 4, maxLength: 12 })
    const build = (parts: { accessor: boolean; part: unknown }[], log: (what: unknown) => void): unknown => {
      const shared = { shared: 1 }
      const objects: object[] = []
      parts.forEach(({ accessor, part: what }, k) => {
        if (k % KEYS.length === 0) objects.push(k % 8 === 0 ? {} : [])
        const object = objects.at(-1) as object
        const key = Array.isArray(object) ? String(k % KEYS.length) : (KEYS[k % KEYS.length] as string)
        const value = what === 'date' ? new Date(k) : what === 'bigint' ? 1n : what === 'shared' ? shared : what === 'nested' ? [k] : what
        define(object, key, value)
        if (!accessor) return
        withGetter(object, key, () => {
          log(`${k}`)
          return value
        })
      })
      return objects
    }
    learn(queue, () =>
      build(
        Array.from({ length: 12 }, () => ({ accessor: false, part: 1 })),
        () => undefined,
      ),
    )
    fc.assert(
      fc.property(recipe, (parts) => assertReadAsCloned(queue, (log) => build(parts, log))),
      { numRuns: 3000 },
    )
  })
})

describe('an array like those that the encoder has learned', () => {
  const queue = large()
  const array = (): unknown[] => [1, 'two', 0.5]
  before(() => learn(queue, array))

  for (const index of [0, 1, 2]) {
    it(`may have an accessor at ${index}, which is read once`, () => {
      for (const later of [1, new Date(5)]) {
        assertReadAsCloned(queue, (log) => [
          withGetter(array(), index, () => {
            log(index)
            return ['got']
          }),
          later,
        ])
      }
    })

    it(`may have a hole at ${index}, with or without a key of another kind`, () => {
      for (const prototype of [undefined, Array.prototype, Object.prototype]) {
        const holed = array()
        Reflect.deleteProperty(holed, index)
        const more = Object.assign([...array()], { more: 1 })
        Reflect.deleteProperty(more, index)
        if (prototype) Object.defineProperty(prototype, index, { value: 'inherited', configurable: true })
        let got: unknown[]
        let expected: unknown[]
        try {
          expected = [holed, more].map((one) => structuredClone(one))
          got = [holed, more].map((one) => {
            queue.putSync(one)
            return queue.getSync()
          })
        } finally {
          if (prototype) Reflect.deleteProperty(prototype, index)
        }
        assertClone(got, expected)
      }
    })
  }
})

describe('a value that looks plain', () => {
  it('but is a view comes out as a view', () => {
    const queue = large()
    const view = Object.setPrototypeOf(new Uint8Array([1, 2, 3]), Object.prototype) as object
    queue.putSync(view)
    queue.putSync({ view })
    assertClone(queue.getSync(), structuredClone(view))
    assertClone(queue.getSync(), structuredClone({ view }))
  })

  it('is not mistaken for another value because of its strings', () => {
    const queue = large()
    for (let length = 0; length < 40; length++) {
      for (const last of ['', 'z', '\u00ff', '\u0100', '\ud800', '😀']) {
        const text = 'x'.repeat(length) + last
        const value = { [text]: text, list: [text, `${text}!`] }
        for (let k = 0; k < 2; k++) {
          queue.putSync(value)
          assertClone(queue.getSync(), value)
        }
      }
    }
  })

  it('may be as long as the buffer that it is encoded into, or a little longer', () => {
    const queue = large()
    for (const bytes of [200, 2000, 65_536]) {
      for (let less = -8; less < 80; less++) {
        const text = 'x'.repeat(bytes - less)
        for (const value of [
          { text, b: 0.5, c: 'c' },
          { a: [text, 1, null] },
          { [text]: 1 },
          { b: 1, text: text.slice(30), [`k${'y'.repeat(20)}`]: 'z' },
        ]) {
          // prettier-ignore
          queue.putSync(value)
          assert.deepEqual(queue.getSync(), value)
        }
      }
    }
  })

  it('may have more keys than the encoder remembers of a shape', () => {
    const queue = large()
    for (const count of [100, 300, 1000, 5000]) {
      const value = Object.fromEntries(Array.from({ length: count }, (_, k) => [`key ${k}`, k]))
      for (let k = 0; k < 3; k++) {
        queue.putSync(value)
        assertClone(queue.getSync(), value)
      }
    }
  })

  it('is put even if __lookupGetter__ was removed before', async () => {
    const { code, stderr, stdout } = await runProcess('no-lookup-getter')
    assert.deepEqual({ code, stderr, stdout }, { code: 0, stderr: '', stdout: 'got {"a":1} {"a":"of the getter"}\n' })
  })
})
