/** Warns of synchronous calls that block for long, and tells the diagnostics channel. */
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { type BlockMessage, blocksAreTold, tellBlock } from '../diagnostics.js'
import { native } from '../addon/native.js'

const LONG_ON_MAIN_THREAD_MILLISECONDS = 1000
const CODE = 'THREADSAFE_BLOCKED_LOOP'
const ADVICE = 'Await the asynchronous call there, or block in a worker.'

/** On `process`, so that the package warns once also where it was evaluated several times. */
const WARNED = Symbol.for('threadsafe.warned')
const told = process as { [WARNED]?: boolean }

function mayWarn(): boolean {
  return isMainThread && !told[WARNED]
}

/** Node's listener, which prints warnings: it is there unless they are switched off. */
function isPrinter(listener: { readonly name: string }): boolean {
  return listener.name === 'onWarning'
}

/**
 * Node prints a warning when the loop comes round, and listeners hear of it then. This one is about
 * a loop that does not, and perhaps never will.
 */
function print(): void {
  const switches = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  if (!process.listeners('warning').some(isPrinter) || switches.some((text) => text.includes(`--disable-warning=${CODE}`))) return
  try {
    writeSync(
      2,
      `(node:${process.pid}) [${CODE}] Warning: A synchronous call is blocking the main thread's event loop for over a second. ${ADVICE}\n`,
    )
  } catch {
    // Nobody reads it.
  }
}

function messageOf(duration: number): string {
  return `A synchronous call blocked the main thread's event loop for ${Math.round(duration)} ms. ${ADVICE}`
}

/** The warning was printed, or must not be; the other listeners still get the message. */
function tellListeners(duration: number): void {
  const warning = Object.assign(new Error(messageOf(duration)), { name: 'Warning', code: CODE })
  process.nextTick(() => {
    for (const listener of process.listeners('warning')) if (!isPrinter(listener)) listener.call(process, warning)
  })
}

/** When the call began that blocks the main thread. */
let since: number | undefined

function probe(): void {
  if (since === undefined || told[WARNED] || native.now() - since < LONG_ON_MAIN_THREAD_MILLISECONDS) return
  told[WARNED] = true
  print()
}

/**
 * A blocking call is allowed on the main thread; one that has blocked it for long is worth a word,
 * once, and while it does.
 */
function warningAfter<R>(start: number, call: () => R): R {
  // The addon calls it every so often while it blocks. Each time, as another evaluation of this
  // module may have set its own.
  native.setProbe(probe)
  since = start
  try {
    return call()
  } finally {
    since = undefined
    const duration = native.now() - start
    if (told[WARNED]) {
      tellListeners(duration)
    } else if (duration >= LONG_ON_MAIN_THREAD_MILLISECONDS) {
      // The probe was not called any more.
      told[WARNED] = true
      process.emitWarning(messageOf(duration), { code: CODE })
    }
  }
}

/**
 * Runs a call that may block, and returns its result. `sources` are the objects that it waits for.
 */
export function blocking<R>(operation: BlockMessage['operation'], sources: BlockMessage['sources'], call: () => R): R {
  const isTold = blocksAreTold()
  const isWarned = mayWarn()
  if (!isTold && !isWarned) return call()
  const start = native.now()
  try {
    return isWarned ? warningAfter(start, call) : call()
  } finally {
    if (isTold) tellBlock(operation, sources, native.now() - start)
  }
}
