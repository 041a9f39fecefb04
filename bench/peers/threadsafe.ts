import { type IntoOption, type QueueHandle, type QueueOptions, type SyncWaitOptions, ThreadSafeQueue } from '../../lib/index.js'
import type { Payload } from './payload.js'
import { share, type Way } from './way.js'

const BLOCKING = { block: true }

/** Returns the type and slot size that suit the payload. */
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

const onlyBytes: Way['cannot'] = ({ payload }) => (payload.kind === 'bytes' ? undefined : 'for buffers alone')

/** The consumer gets into an array of its own. */
export const threadsafeInto: Way = {
  id: 'threadsafe-into',
  name: 'threadsafe, getSync into an array',
  package: 'threadsafe',
  cannot: onlyBytes,
  open: (setup) => share(setup, new ThreadSafeQueue(setup.capacity, optionsFor(setup.payload)).handle),
  putter: (handle: QueueHandle) => threadsafe.putter(handle as never),
  getter(handle: QueueHandle<Uint8Array>) {
    const queue = ThreadSafeQueue.from(handle)
    let options: SyncWaitOptions & IntoOption<Uint8Array> = BLOCKING
    return () => {
      const item = queue.getSync(options)
      if (options === BLOCKING) options = { ...BLOCKING, into: new Uint8Array(item.length) }
      return item
    }
  },
}

export const threadsafeAny: Way = {
  id: 'threadsafe-any',
  name: "threadsafe, 'any'",
  package: 'threadsafe',
  cannot: onlyBytes,
  open: (setup) =>
    share(setup, new ThreadSafeQueue(setup.capacity, { itemBytes: (setup.payload as { readonly bytes: number }).bytes }).handle),
  putter: (handle: QueueHandle) => threadsafe.putter(handle as never),
  getter: (handle: QueueHandle) => (threadsafe.getter as NonNullable<Way['getter']>)(handle as never),
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
