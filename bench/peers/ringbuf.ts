/**
 * ringbuf.js, item by item: a push and a pop of one element, each repeated until it succeeds, as
 * the package has no waiting.
 */
import { RingBuffer } from 'ringbuf.js'
import { insist, onlyNumbers, onlyOneToOne, share, type Way } from './way.js'

export function newStorage(capacity: number): SharedArrayBuffer {
  return RingBuffer.getStorageForCapacity(capacity, Float64Array)
}

export interface NumberRing {
  tryPut(value: number): boolean
  /** Undefined when empty. */
  tryGet(): number | undefined
}

export function ringbufOver(storage: SharedArrayBuffer): NumberRing {
  const ring = new RingBuffer(storage, Float64Array)
  const one = new Float64Array(1)
  return {
    tryPut(value) {
      one[0] = value
      return ring.push(one) === 1
    },
    tryGet: () => (ring.pop(one) === 1 ? one[0] : undefined),
  }
}

export function putInto(ring: NumberRing): (item: unknown) => void {
  return (item) => {
    if (!ring.tryPut(item as number)) insist(() => ring.tryPut(item as number))
  }
}

export function getFrom(ring: NumberRing): () => number {
  return () => {
    let value = ring.tryGet()
    if (value === undefined) insist(() => (value = ring.tryGet()) !== undefined)
    return value as number
  }
}

export const ringbuf: Way = {
  id: 'ringbuf',
  name: 'ringbuf.js, push and pop',
  package: 'ringbuf.js',
  cannot: (setup) => onlyOneToOne(setup) ?? onlyNumbers(setup),
  open: (setup) => share(setup, newStorage(setup.capacity)),
  putter: (storage: SharedArrayBuffer) => putInto(ringbufOver(storage)),
  getter: (storage: SharedArrayBuffer) => getFrom(ringbufOver(storage)),
}
