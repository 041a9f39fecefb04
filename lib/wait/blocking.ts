/** Warns of synchronous calls that block for long, and tells the diagnostics channel. */
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { type BlockMessage, blocksAreTold, tellBlock } from '../diagnostics.js'
import { native } from '../addon/native.js'
import type { WarningCodes } from '../error-codes.js'

const LONG_ON_MAIN_THREAD_MILLISECONDS = 1000
const CODE: keyof WarningCodes = 'THREADSAFE_BLOCKED_LOOP'
const ADVICE = 'Await the asynchronous call there, or block in a worker.'

/**
 * A property of `process`, so that the package warns once even if it was evaluated several times.
 */
const WARNED = Symbol.for('threadsafe.warned')
const told = process as { [WARNED]?: boolean }

function mayWarn(): boolean {
  return isMainThread && !told[WARNED]
}

/**
 * Whether it is Node's listener that prints warnings, which is there unless they are switched off.
 */
function isPrinter(listener: { readonly name: string }): boolean {
  return listener.name === 'onWarning'
}

/**
 * Prints the warning. Node prints warnings, and tells listeners, when the loop comes round. This
 * one is about a loop that does not, and perhaps never will.
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
    // Standard error can't be written to.
  }
}

function messageOf(duration: number): string {
  return `A synchronous call blocked the main thread's event loop for ${Math.round(duration)} ms. ${ADVICE}`
}

/**
 * Emits the warning for all listeners but Node's, since it has been printed already, or must not
 * be.
 */
function tellListeners(duration: number): void {
  const warning = Object.assign(new Error(messageOf(duration)), { name: 'Warning', code: CODE })
  process.nextTick(() => {
    for (const listener of process.listeners('warning')) if (!isPrinter(listener)) listener.call(process, warning)
  })
}

/** When the call that blocks the main thread began. */
let since: number | undefined

function probe(): void {
  if (since === undefined || told[WARNED] || native.now() - since < LONG_ON_MAIN_THREAD_MILLISECONDS) return
  told[WARNED] = true
  print()
}

/**
 * Runs a blocking call of the main thread. Such calls are allowed, but one that blocks for long
 * causes a warning: once per process, and while it still blocks.
 */
function warningAfter<R>(start: number, call: () => R): R {
  // The addon calls the probe every so often while it blocks. It is set for each call, since
  // another evaluation of this module may have set its own.
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
      // The call blocked for long enough after the probe was last called.
      told[WARNED] = true
      // Not here, where a program's own emitWarning() might throw, and the call has taken something.
      process.nextTick(() => process.emitWarning(messageOf(duration), { code: CODE }))
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
