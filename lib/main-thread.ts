/** A blocking call is allowed on the main thread; one that blocked it for long is worth a word, once. */
import { isMainThread } from 'node:worker_threads'

const LONG_MILLISECONDS = 1000
let warned = false

/** Runs a call that may block, and answers what it answers. */
export function warnIfBlockedLong<R>(call: () => R): R {
  if (!isMainThread || warned) return call()
  const start = performance.now()
  const result = call()
  const blocked = performance.now() - start
  if (blocked > LONG_MILLISECONDS && !warned) {
    warned = true
    process.emitWarning(
      `A synchronous call blocked the main thread's event loop for ${Math.round(blocked)} ms. Await the asynchronous one there.`,
      {
        code: 'THREADSAFE_BLOCKED_LOOP',
      },
    )
  }
  return result
}
