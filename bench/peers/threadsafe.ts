import { type QueueHandle, type QueueOptions, ThreadSafeQueue } from '../../lib/index.js'
import type { Payload } from './payload.js'
import { share, type Way } from './way.js'

const BLOCKING = { block: true }

/** The type and slot size that suit the payload. */
export function optionsFor(payload: Payload): QueueOptions {
  switch (payload.kind) {
    case 'number':
      return { type: 'float64' }
    case 'object':
      return { type: 'any', itemBytes: 128 }
    case 'string':
      return { type: 'string', itemBytes: 256 }
    case 'bytes':
      return { type: 'bytes', itemBytes: payload.bytes }
  }
}

export const threadsafe: Way = {
  id: 'threadsafe',
  name: 'threadsafe, putSync and getSync',
  package: 'threadsafe',
  everywhere: true,
  open: (setup) => share(setup, new ThreadSafeQueue(setup.capacity, optionsFor(setup.payload)).handle),
  putter(handle: QueueHandle) {
    const queue = ThreadSafeQueue.from(handle)
    return (item) => queue.putSync(item, BLOCKING)
  },
  getter(handle: QueueHandle) {
    const queue = ThreadSafeQueue.from(handle)
    return () => queue.getSync(BLOCKING)
  },
}
