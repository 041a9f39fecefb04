/**
 * Our own core in C++, reached by a Node-API call for each put and get, like an addon without the
 * WebAssembly build.
 */
import { benchAddon } from '../harness/native.js'
import { getFrom, type NumberRing, putInto } from './ringbuf.js'
import { onlyNumbers, share, type Way } from './way.js'

interface Shared {
  readonly memory: SharedArrayBuffer
  readonly capacity: number
}

export function newNodeApiStorage(capacity: number): Shared {
  return { memory: new SharedArrayBuffer(benchAddon().queueBytes(capacity)), capacity }
}

export function nodeApiRing({ memory, capacity }: Shared): NumberRing {
  const { put, get } = benchAddon().openQueue(new Uint8Array(memory), capacity)
  // Keeps the memory alive with the ring, as the functions know only an address.
  return Object.assign({ tryPut: put, tryGet: get }, { memory })
}

export const nodeApi: Way = {
  id: 'node-api',
  name: 'C++ ring, a Node-API call each',
  native: true,
  cannot: onlyNumbers,
  open: (setup) => share(setup, newNodeApiStorage(setup.capacity)),
  putter: (shared: Shared) => putInto(nodeApiRing(shared)),
  getter: (shared: Shared) => getFrom(nodeApiRing(shared)),
}
