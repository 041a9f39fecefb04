/**
 * Rings written by hand with Atomics, as fast as they can be: no waiting, no closing, and a
 * capacity that is a power of two.
 */
import { getFrom, type NumberRing, putInto } from './ringbuf.js'
import { onlyNumbers, onlyOneToOne, share, type Way } from './way.js'

/** Words between two indices that different threads write, so that they share no cache line. */
const APART = 32
const INDEX_BYTES = 2 * APART * 4

/**
 * One producer and one consumer. There are two indices, and each side remembers the last value of
 * the other's that it has seen.
 */
export class SingleRing implements NumberRing {
  readonly #capacity: number
  readonly #mask: number
  readonly #indices: Int32Array
  readonly #values: Float64Array
  #tail = 0
  #head = 0
  #seenTail = 0
  #seenHead = 0

  static storage(capacity: number): SharedArrayBuffer {
    return new SharedArrayBuffer(INDEX_BYTES + capacity * 8)
  }

  constructor(storage: SharedArrayBuffer) {
    this.#indices = new Int32Array(storage, 0, 2 * APART)
    this.#values = new Float64Array(storage, INDEX_BYTES)
    this.#capacity = this.#values.length
    this.#mask = this.#capacity - 1
  }

  tryPut(value: number): boolean {
    if (((this.#tail - this.#seenHead) | 0) === this.#capacity) {
      this.#seenHead = Atomics.load(this.#indices, APART)
      if (((this.#tail - this.#seenHead) | 0) === this.#capacity) return false
    }
    this.#values[this.#tail & this.#mask] = value
    this.#tail = (this.#tail + 1) | 0
    Atomics.store(this.#indices, 0, this.#tail)
    return true
  }

  tryGet(): number | undefined {
    if (this.#head === this.#seenTail) {
      this.#seenTail = Atomics.load(this.#indices, 0)
      if (this.#head === this.#seenTail) return undefined
    }
    const value = this.#values[this.#head & this.#mask]
    this.#head = (this.#head + 1) | 0
    Atomics.store(this.#indices, APART, this.#head)
    return value
  }
}

/** Any number of producers and consumers, after Dmitry Vyukov: a sequence number for each slot. */
export class SharedRing implements NumberRing {
  readonly #mask: number
  readonly #indices: Int32Array
  readonly #sequences: Int32Array
  readonly #values: Float64Array

  static storage(capacity: number): SharedArrayBuffer {
    const storage = new SharedArrayBuffer(INDEX_BYTES + capacity * 16)
    const sequences = new Int32Array(storage, INDEX_BYTES)
    for (let k = 0; k < capacity; k++) sequences[4 * k] = k
    return storage
  }

  constructor(storage: SharedArrayBuffer) {
    this.#indices = new Int32Array(storage, 0, 2 * APART)
    this.#sequences = new Int32Array(storage, INDEX_BYTES)
    this.#values = new Float64Array(storage, INDEX_BYTES)
    this.#mask = this.#sequences.length / 4 - 1
  }

  tryPut(value: number): boolean {
    let position = Atomics.load(this.#indices, 0)
    for (;;) {
      const slot = position & this.#mask
      const ahead = (Atomics.load(this.#sequences, 4 * slot) - position) | 0
      if (ahead === 0) {
        const seen = Atomics.compareExchange(this.#indices, 0, position, (position + 1) | 0)
        if (seen === position) {
          this.#values[2 * slot + 1] = value
          Atomics.store(this.#sequences, 4 * slot, (position + 1) | 0)
          return true
        }
        position = seen
      } else if (ahead < 0) {
        return false
      } else {
        position = Atomics.load(this.#indices, 0)
      }
    }
  }

  tryGet(): number | undefined {
    let position = Atomics.load(this.#indices, APART)
    for (;;) {
      const slot = position & this.#mask
      const ahead = (Atomics.load(this.#sequences, 4 * slot) - ((position + 1) | 0)) | 0
      if (ahead === 0) {
        const seen = Atomics.compareExchange(this.#indices, APART, position, (position + 1) | 0)
        if (seen === position) {
          const value = this.#values[2 * slot + 1]
          Atomics.store(this.#sequences, 4 * slot, (position + this.#mask + 1) | 0)
          return value
        }
        position = seen
      } else if (ahead < 0) {
        return undefined
      } else {
        position = Atomics.load(this.#indices, APART)
      }
    }
  }
}

export const singleRing: Way = {
  id: 'js-spsc',
  name: 'hand-written JS ring, single-producer',
  cannot: (setup) => onlyOneToOne(setup) ?? onlyNumbers(setup),
  open: (setup) => share(setup, SingleRing.storage(setup.capacity)),
  putter: (storage: SharedArrayBuffer) => putInto(new SingleRing(storage)),
  getter: (storage: SharedArrayBuffer) => getFrom(new SingleRing(storage)),
}

export const sharedRing: Way = {
  id: 'js-mpmc',
  name: 'hand-written JS ring, multi-producer',
  cannot: onlyNumbers,
  open: (setup) => share(setup, SharedRing.storage(setup.capacity)),
  putter: (storage: SharedArrayBuffer) => putInto(new SharedRing(storage)),
  getter: (storage: SharedArrayBuffer) => getFrom(new SharedRing(storage)),
}
