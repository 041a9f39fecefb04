/**
 * Reads the options that waiting calls have in common. When one of these functions throws, nothing
 * has been changed.
 */
import { types } from 'node:util'
import { invalidType, outOfRange } from '../errors.js'

/** Options of synchronous calls. */
export interface SyncWaitOptions {
  /** Wait until the call can do its work. Default: false, or true where `timeout` is given. */
  block?: boolean | undefined
  /** Wait for at most so many milliseconds. 0 tries once. Default: Infinity. */
  timeout?: number | undefined
}

/** Options of asynchronous calls. */
export interface WaitOptions {
  /** Gives up waiting when it is aborted: the promise rejects with its `reason`. */
  signal?: AbortSignal | undefined
  /** Wait for at most so many milliseconds. 0 tries once. Default: Infinity. */
  timeout?: number | undefined
}

/** Options of `queue.forEach()`. */
export interface ForEachOptions {
  /**
   * Ends it when it is aborted: the promise rejects with its `reason`, and no more items are taken.
   */
  signal?: AbortSignal | undefined
}

export function checkObject(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'object' || value === null)) throw invalidType(name, 'an object', value)
}

/** The milliseconds that `timeout` allows; Infinity if it is undefined. */
export function checkTimeout(timeout: unknown): number {
  if (timeout === undefined) return Infinity
  if (typeof timeout !== 'number') throw invalidType('options.timeout', 'a number of milliseconds', timeout)
  if (!(timeout >= 0)) throw outOfRange('options.timeout', '>= 0', timeout)
  return timeout
}

/** The milliseconds that a synchronous call may wait; undefined if it may not. */
export function syncTimeout(options: SyncWaitOptions | undefined): number | undefined {
  if (options === undefined) return undefined
  checkObject('options', options)
  const { block, timeout } = options
  if (block !== undefined && typeof block !== 'boolean') throw invalidType('options.block', 'a boolean', block)
  const milliseconds = checkTimeout(timeout)
  return (block ?? timeout !== undefined) ? milliseconds : undefined
}

/**
 * The methods of Node's signals. Where the global class is another (jsdom), or missing (a context
 * of node:vm), no signal is taken for Node's.
 */
const { aborted, throwIfAborted } = ((prototype: AbortSignal | undefined) => ({
  aborted: prototype && Object.getOwnPropertyDescriptor(prototype, 'aborted')?.get,
  throwIfAborted: prototype?.throwIfAborted,
}))(globalThis.AbortSignal?.prototype)

function isNodes(signal: AbortSignal): boolean {
  if (types.isProxy(signal)) return false
  try {
    aborted?.call(signal)
    return aborted !== undefined
  } catch {
    return false
  }
}

/**
 * Throws the signal's reason if it is aborted. Runs no user code: a signal that is not Node's is
 * not asked.
 */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal && isNodes(signal)) throwIfAborted?.call(signal)
}

/** Takes signals of other realms and other implementations too. */
function checkSignal(signal: unknown): asserts signal is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = Object(signal) as Partial<AbortSignal>
  const isSignal = typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  if (!isSignal) throw invalidType('options.signal', 'an AbortSignal', signal)
}

/** The limits within which an asynchronous call waits. */
export interface Patience {
  signal: AbortSignal | undefined
  timeout: number
}

const FOR_EVER: Patience = { signal: undefined, timeout: Infinity }

export function patience(options: WaitOptions | undefined): Patience {
  if (options === undefined) return FOR_EVER
  checkObject('options', options)
  const { signal, timeout } = options
  if (signal !== undefined) checkSignal(signal)
  const milliseconds = checkTimeout(timeout)
  if (signal !== undefined) {
    if (isNodes(signal)) throwIfAborted?.call(signal)
    else if (signal.aborted) throw signal.reason
  }
  return { signal, timeout: milliseconds }
}
