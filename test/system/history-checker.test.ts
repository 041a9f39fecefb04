/** Tests the checker of test/system/linearizability.test.ts on histories written by hand. */
import assert from 'node:assert/strict'
import { type Call, type Operation, unexplained } from './history-checker.js'

/**
 * Makes a call that began and ended at those points. `item` is what went in or came out, if
 * anything.
 */
function call(operation: Operation, item: number | undefined, began: number, ended: number, rest: Partial<Call> = {}): Call {
  return { operation, item, slots: 1, mayFail: false, began, ended, ...rest }
}
const full = (began: number, ended: number, rest?: Partial<Call>): Call => call('put', undefined, began, ended, rest)
const empty = (began: number, ended: number, rest?: Partial<Call>): Call => call('get', undefined, began, ended, rest)

const right: { what: string; capacity: number; threads: Call[][] }[] = [
  { what: 'nothing', capacity: 1, threads: [] },
  {
    what: 'first in, first out',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), call('put', 2, 2, 3), call('get', 1, 4, 5), call('get', 2, 6, 7)]],
  },
  { what: 'a get of what is being put', capacity: 1, threads: [[call('put', 1, 0, 3)], [call('get', 1, 1, 2)]] },
  { what: 'empty beside a put', capacity: 1, threads: [[call('put', 1, 0, 3)], [empty(1, 2), call('get', 1, 4, 5)]] },
  { what: 'full beside a get', capacity: 1, threads: [[call('put', 1, 0, 1), call('get', 1, 2, 5)], [full(3, 4)]] },
  {
    what: 'puts that overlap, in either order',
    capacity: 2,
    threads: [[call('put', 1, 0, 3)], [call('put', 2, 1, 2)], [call('get', 1, 4, 5), call('get', 2, 6, 7)]],
  },
  {
    what: 'the oldest pushed out',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), call('put', 2, 2, 3), call('pushing', 3, 4, 5), call('get', 2, 6, 7), call('get', 3, 8, 9)]],
  },
  {
    what: 'several pushed out by a long one',
    capacity: 3,
    threads: [
      [call('put', 1, 0, 1), call('put', 2, 2, 3), call('put', 3, 4, 5), call('pushing', 4, 6, 7, { slots: 2 }), call('get', 3, 8, 9)],
    ],
  },
  {
    what: 'no room for a long one',
    capacity: 3,
    threads: [[call('put', 1, 0, 1), full(2, 3, { slots: 3 }), call('put', 2, 4, 5, { slots: 2 })]],
  },
  {
    what: 'a peek leaves the item',
    capacity: 1,
    threads: [[call('put', 1, 0, 1), call('peek', 1, 2, 3), call('get', 1, 4, 5), call('peek', undefined, 6, 7)]],
  },
  {
    what: 'a wait that ended for another reason',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), full(2, 3, { mayFail: true }), empty(4, 5, { mayFail: true })]],
  },
]

const wrong: { what: string; capacity: number; threads: Call[][]; explained: number }[] = [
  { what: 'empty after a put has returned', capacity: 2, threads: [[call('put', 1, 0, 1)], [empty(2, 3)]], explained: 1 },
  {
    what: 'empty after a put has returned, while another is being put',
    capacity: 2,
    threads: [[call('put', 1, 0, 9)], [call('put', 2, 1, 2)], [empty(3, 4)]],
    explained: 2,
  },
  { what: 'full though there was room all the time', capacity: 2, threads: [[call('put', 1, 0, 1)], [full(2, 3)]], explained: 1 },
  {
    what: 'full after a get has returned',
    capacity: 1,
    threads: [[call('put', 1, 0, 1), call('get', 1, 2, 3)], [full(4, 5)]],
    explained: 2,
  },
  { what: 'more than it holds', capacity: 1, threads: [[call('put', 1, 0, 1), call('put', 2, 2, 3)]], explained: 1 },
  { what: 'one item twice', capacity: 2, threads: [[call('put', 1, 0, 1)], [call('get', 1, 2, 5)], [call('get', 1, 3, 4)]], explained: 2 },
  {
    what: 'an item that is lost',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), call('put', 2, 2, 3)], [call('get', 2, 4, 5)]],
    explained: 2,
  },
  {
    what: 'out of order',
    capacity: 2,
    threads: [
      [call('put', 1, 0, 1), call('put', 2, 2, 3)],
      [call('get', 2, 4, 5), call('get', 1, 6, 7)],
    ],
    explained: 2,
  },
  { what: 'got before it was put', capacity: 1, threads: [[call('get', 1, 0, 1)], [call('put', 1, 2, 3)]], explained: 0 },
  {
    what: 'pushed out where there was room',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), call('pushing', 2, 2, 3), call('get', 2, 4, 5)]],
    explained: 2,
  },
  {
    what: 'more pushed out than was in the way',
    capacity: 2,
    threads: [[call('put', 1, 0, 1), call('put', 2, 2, 3), call('pushing', 3, 4, 5), call('get', 3, 6, 7)]],
    explained: 3,
  },
  {
    what: 'empty while the last item is replaced',
    capacity: 1,
    threads: [[call('put', 1, 0, 1), call('pushing', 2, 2, 5)], [empty(3, 4)]],
    explained: 2,
  },
  {
    what: 'refused where the oldest should have gone',
    capacity: 1,
    threads: [[call('put', 1, 0, 1), call('pushing', undefined, 2, 3)]],
    explained: 1,
  },
  {
    what: "two threads that each saw the other's item first",
    capacity: 2,
    threads: [[call('put', 1, 0, 3)], [call('put', 2, 1, 2)], [call('peek', 1, 4, 5), call('peek', 2, 6, 7)]],
    explained: 3,
  },
]

describe('the checker of histories', () => {
  for (const { what, capacity, threads } of right) {
    it(`explains: ${what}`, () => {
      assert.equal(unexplained(threads, capacity), undefined)
    })
  }

  for (const { what, capacity, threads, explained } of wrong) {
    it(`does not explain: ${what}`, () => {
      assert.equal(unexplained(threads, capacity)?.explained, explained)
    })
  }

  it('is fast even if many calls overlap', () => {
    // Three threads put and get their own tokens all the time, and one result at the very end is
    // wrong.
    const rounds = 300
    const threads = [0, 1, 2].map((thread) =>
      Array.from({ length: 2 * rounds }, (_, k) =>
        call(k % 2 === 0 ? 'put' : 'get', 3 * (k >> 1) + thread, 10 * k + thread, 10 * k + 15 + thread),
      ),
    )
    // A get may take another thread's token, as tokens come in the order in which they were put.
    const start = performance.now()
    assert.equal(unexplained(threads, 3), undefined)
    threads[0]?.push(call('get', undefined, 1e6, 1e6 + 1), call('get', 0, 1e6 + 2, 1e6 + 3))
    assert.equal(unexplained(threads, 3)?.explained, 6 * rounds + 1)
    assert.ok(performance.now() - start < 5000, `${Math.round(performance.now() - start)} ms`)
  })
})
