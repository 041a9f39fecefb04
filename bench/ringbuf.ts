/** ringbuf.js, item by item: a push and a pop of one element, tried again until it is done, as it has no waiting. */
import { RingBuffer } from 'ringbuf.js'

export interface Ring {
  put(value: number): void
  get(): number
}

export function newStorage(capacity: number): SharedArrayBuffer {
  return RingBuffer.getStorageForCapacity(capacity, Float64Array)
}

export function ringOver(storage: SharedArrayBuffer): Ring {
  const ring = new RingBuffer(storage, Float64Array)
  const one = new Float64Array(1)
  return {
    put(value) {
      one[0] = value
      while (ring.push(one) === 0);
    },
    get() {
      while (ring.pop(one) === 0);
      return one[0] as number
    },
  }
}
