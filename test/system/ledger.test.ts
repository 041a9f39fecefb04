/** The books of the soak notice each item that comes twice, out of order, or never. */
import { strict as assert } from 'node:assert'
import { draw, drawn, got, type Ledger, missing, newLedger, notes } from '../soak/ledger.js'

const WINDOW = 4
/** Milliseconds after which an item that nobody notes counts as lost. */
const PATIENCE = 20
const PRODUCER = 1

/** Draws that many numbers, in their order. */
function drawMany(ledger: Ledger, count: number, producer = PRODUCER): number[] {
  return Array.from({ length: count }, () => draw(ledger, producer))
}

describe("the soak's ledger", () => {
  it('is even when each item comes once, whoever gets it', () => {
    const ledger = newLedger(false, WINDOW)
    const consumers = [notes(ledger, PATIENCE), notes(ledger, PATIENCE)]
    for (let k = 0; k < 5 * WINDOW; k++) {
      for (const producer of [0, PRODUCER]) consumers[(k + producer) % 2]?.(draw(ledger, producer))
    }
    assert.deepEqual({ drawn: drawn(ledger), got: got(ledger), missing: missing(ledger) }, { drawn: 40, got: 40, missing: 0 })
  })

  it('notices an item that two consumers get, at once and a window later', () => {
    const ledger = newLedger(false, WINDOW)
    const [first, ...others] = drawMany(ledger, WINDOW + 1) as [number, ...number[]]
    const note = notes(ledger, PATIENCE)
    note(first)
    assert.throws(() => notes(ledger)(first), /item 0 of producer 1 came twice/)
    others.forEach(note)
    assert.throws(() => notes(ledger)(first), /item 0 of producer 1 came twice/)
  })

  it('notices that one consumer gets an item again, or an earlier one', () => {
    const ledger = newLedger(false, WINDOW)
    const [first, second] = drawMany(ledger, 2) as [number, number]
    const note = notes(ledger, PATIENCE)
    note(second)
    assert.throws(() => note(second), /item 1 of producer 1 came after 1/)
    assert.throws(() => note(first), /item 0 of producer 1 came after 1/)
  })

  it('counts an item that never came, in the last window and before', () => {
    const ledger = newLedger(true, WINDOW)
    const numbers = drawMany(ledger, 3 * WINDOW)
    const note = notes(ledger, PATIENCE)
    for (const lost of [1, 5, 3 * WINDOW - 1]) numbers[lost] = NaN
    numbers.filter((number) => !isNaN(number)).forEach(note)
    assert.deepEqual({ got: got(ledger), missing: missing(ledger) }, { got: 9, missing: 3 })
  })

  it('where none may be lost, reports the one that never came when its place is needed', () => {
    const ledger = newLedger(false, WINDOW)
    const numbers = drawMany(ledger, WINDOW + 1)
    const note = notes(ledger, PATIENCE)
    numbers.slice(1, WINDOW).forEach(note)
    assert.equal(missing(ledger), 2)
    assert.throws(() => note(numbers[WINDOW] as number), /item 0 was never got, and item 4 was/)
  })
})
