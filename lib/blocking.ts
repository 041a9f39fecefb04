/** What is told of synchronous calls that block for long. */
import { isMainThread } from 'node:worker_threads'
import { type BlockMessage, blocksAreTold, tellBlock } from './diagnostics.js'
import { native } from './native.js'

const LONG_ON_MAIN_THREAD_MILLISECONDS = 1000
let mayWarn = isMainThread

/** A blocking call is allowed on the main thread; one that blocked it for long is worth a word, once. */
function warn(duration: number): void {
  mayWarn = false
  process.emitWarning(
    `A synchronous call blocked the main thread's event loop for ${Math.round(duration)} ms. Await the asynchronous one there.`,
    { code: 'THREADSAFE_BLOCKED_LOOP' },
  )
}

/** Runs a call that may block, and answers what it answers. `sources`: what it waits for. */
export function blocking<R>(operation: BlockMessage['operation'], sources: BlockMessage['sources'], call: () => R): R {
  const told = blocksAreTold()
  if (!told && !mayWarn) return call()
  const start = native.now()
  try {
    return call()
  } finally {
    const duration = native.now() - start
    if (mayWarn && duration > LONG_ON_MAIN_THREAD_MILLISECONDS) warn(duration)
    if (told) tellBlock(operation, sources, duration)
  }
}
