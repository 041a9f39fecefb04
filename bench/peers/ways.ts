import { sharedRing, singleRing } from './js-rings.js'
import { nodeApi } from './node-api.js'
import { postMessage, postMessageTransfer } from './post-message.js'
import { ringbuf } from './ringbuf.js'
import { syncMessagePort } from './sync-message-port.js'
import { threadsafe, threadsafeAny, threadsafeInto } from './threadsafe.js'
import type { Way } from './way.js'

export const ways: readonly Way[] = [
  threadsafe,
  threadsafeInto,
  threadsafeAny,
  postMessage,
  postMessageTransfer,
  ringbuf,
  singleRing,
  sharedRing,
  nodeApi,
  syncMessagePort,
]

export function wayOf(id: string): Way {
  return ways.find((way) => way.id === id) as Way
}
