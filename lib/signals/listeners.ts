/**
 * Keeps handlers in place beside `process.on()`.
 *
 * libuv ignores a handler that was there before its own. With the first `process.on()` for a signal
 * it replaces that handler, and with the last `process.off()` it restores the default action. Node
 * does so in the 'newListener' and 'removeListener' events. So a listener that runs before Node's
 * remembers the handler, and one that runs after Node's puts it back, together with libuv's. Only
 * the main thread can have such listeners.
 */
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { isNode, native } from '../addon/native.js'
import { namedSignal } from './number.js'

if (isNode) native.followLibuv()
if (isNode && isMainThread && process.platform !== 'win32' && !native.watchesListeners) {
  native.watchesListeners = true
  const before = (event: string | symbol): void => {
    const signo = namedSignal(event)
    if (signo !== undefined) native.willListen(signo)
  }
  const after = (event: string | symbol, listens: boolean): void => {
    const signo = namedSignal(event)
    if (signo !== undefined) native.hasListened(signo, listens)
  }
  const emitter: NodeJS.EventEmitter = process
  for (const event of emitter.eventNames()) after(event, true)
  emitter.prependListener('newListener', before)
  emitter.prependListener('removeListener', before)
  emitter.on('newListener', (event: string | symbol) => after(event, true))
  emitter.on('removeListener', (event: string | symbol) => after(event, emitter.listenerCount(event) > 0))
}
