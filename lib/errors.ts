/**
 * Every error that this package throws by itself; error-codes.ts says when. Errors about arguments
 * look like Node's own.
 */
import { inspect, types } from 'node:util'
import type { ErrorCode } from './error-codes.js'
import { uncurried } from './intrinsics.js'

const { isAnyArrayBuffer, isSharedArrayBuffer } = types

/**
 * The property in which a class has its name. Other evaluations of this module in the thread, which
 * have classes of their own, know it by that.
 */
const CLASS = Symbol.for('threadsafe.errorClass')

type ErrorClass = abstract new (...args: never[]) => unknown

const ordinaryHasInstance = uncurried(Function.prototype[Symbol.hasInstance])

function classNameOf(one: unknown): unknown {
  return typeof one === 'function' && Object.hasOwn(one, CLASS) ? (one as { [CLASS]?: unknown })[CLASS] : undefined
}

/** The base class of the errors of queues and events, all of which have a `code`. */
export class ThreadSafeError extends Error {
  /** @internal */
  static readonly [CLASS]: string = 'ThreadSafeError'

  /** Identifies what happened, such as `'ERR_QUEUE_FULL'`. */
  readonly code: string

  /** @internal `instanceof` also holds for errors of another evaluation of the package. */
  static override [Symbol.hasInstance](this: ErrorClass, value: unknown): boolean {
    if (ordinaryHasInstance(this, value)) return true
    const name = classNameOf(this)
    if (name === undefined || !types.isNativeError(value)) return false
    for (let one: unknown = value.constructor; typeof one === 'function'; one = Object.getPrototypeOf(one)) {
      if (classNameOf(one) === name) return true
    }
    return false
  }

  /** The package makes them; a program has no need to. */
  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }

  /** The name of its class. */
  override get name(): string {
    return this.constructor.name
  }
}

/** What an error message says about a queue. */
export interface Named {
  readonly name: string
  readonly capacity: number
}

/** How errors name a queue: in one line, whatever its name is. */
export function nameOf(queue: Named | undefined): string {
  if (queue === undefined) return 'queue'
  const name = queue.name === '' ? '' : ` ${JSON.stringify(queue.name)}`
  return `queue${name} (capacity ${queue.capacity})`
}

/** A put that does not wait found the queue full. */
export class QueueFullError extends ThreadSafeError {
  /** @internal */
  static override readonly [CLASS] = 'QueueFullError'

  /** The package makes them; a program has no need to. */
  constructor(queue?: Named) {
    super(`The ${nameOf(queue)} is full`, 'ERR_QUEUE_FULL')
  }
}

/** A get that does not wait found the queue empty. */
export class QueueEmptyError extends ThreadSafeError {
  /** @internal */
  static override readonly [CLASS] = 'QueueEmptyError'

  /** The package makes them; a program has no need to. */
  constructor(queue?: Named) {
    super(`The ${nameOf(queue)} is empty`, 'ERR_QUEUE_EMPTY')
  }
}

/** A lending that does not wait found no buffer free. */
export class PoolEmptyError extends ThreadSafeError {
  /** @internal */
  static override readonly [CLASS] = 'PoolEmptyError'

  /** The package makes them; a program has no need to. */
  constructor(count: number) {
    super(`None of the pool's buffers is free (it has ${count})`, 'ERR_POOL_EMPTY')
  }
}

/** A put to a closed queue, or a get from one that is closed and drained. */
export class QueueClosedError extends ThreadSafeError {
  /** @internal */
  static override readonly [CLASS] = 'QueueClosedError'

  /** From `select()` and `selectSync()`: the queue that is closed and drained. */
  declare readonly source?: object
  /** From `select()` and `selectSync()`: its place among the sources. */
  declare readonly index?: number

  /** The package makes them; a program has no need to. */
  constructor(queue?: Named) {
    super(`The ${nameOf(queue)} is closed`, 'ERR_QUEUE_CLOSED')
  }
}

/** A call's timeout passed before the call could do its work. It did nothing. */
export class TimeoutError extends ThreadSafeError {
  /** @internal */
  static override readonly [CLASS] = 'TimeoutError'

  /** The package makes them; a program has no need to. */
  constructor(milliseconds: number, queue?: Named) {
    super(`Nothing happened within ${milliseconds} ms${queue === undefined ? '' : ` in the ${nameOf(queue)}`}`, 'ERR_TIMEOUT')
  }
}

type WithCode<E extends Error> = E & { code: string }

export function withCode<E extends Error>(error: E, code: ErrorCode): WithCode<E> {
  return Object.assign(error, { code })
}

/** The most characters of a value that an error shows. */
const MOST_SHOWN = 100

/** The error for a queue whose memory holds what no queue can. */
export function damaged(what = 'queue'): WithCode<Error> {
  return withCode(new Error(`Something has written over the ${what}'s memory: what is left in it can't be got`), 'ERR_DAMAGED_MEMORY')
}

/** A value in one short line. Runs none of the value's code. */
export function oneLine(value: unknown): string {
  let text: string
  if (isAnyArrayBuffer(value)) {
    text = `${isSharedArrayBuffer(value) ? 'SharedArrayBuffer' : 'ArrayBuffer'} of ${value.byteLength} bytes`
  } else {
    try {
      text = inspect(value, { depth: 0, breakLength: Infinity, customInspect: false, maxStringLength: 60, maxArrayLength: 8 })
    } catch {
      text = `something of the type ${typeof value}`
    }
  }
  return shortened(text)
}

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN - 1)}…` : line
}

function received(value: unknown): string {
  const text = oneLine(value)
  return value === null || value === undefined ? text : `type ${typeof value} (${text})`
}

/** `name` is not of the type it should be. */
export function invalidType(name: string, expected: string, value: unknown): WithCode<TypeError> {
  return withCode(new TypeError(`The "${name}" argument must be ${expected}. Received ${received(value)}`), 'ERR_INVALID_ARG_TYPE')
}

/** `name` is of the right type, but not one of the allowed values. */
export function invalidValue(name: string, expected: string, value: unknown, hint = ''): WithCode<TypeError> {
  const message = `The argument "${name}" must be ${expected}. Received ${oneLine(value)}`
  return withCode(new TypeError(hint ? `${message}. ${hint}` : message), 'ERR_INVALID_ARG_VALUE')
}

/** `name` is a number or a size that is too small or too large. */
export function outOfRange(name: string, expected: string, value: unknown): WithCode<RangeError> {
  return withCode(
    new RangeError(`The value of "${name}" is out of range. It must be ${expected}. Received ${oneLine(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

const { captureStackTrace } = Error

/**
 * Returns a promise that is rejected with that error, with a stack that leads to whoever awaits the
 * call. Resolve the call's own promise with it. Without this, the stack would show the doorbell or
 * timer that ended the wait. V8 follows the promises from the function that is running to those
 * that await it, but only once they are linked, which takes a microtask. So the stack is captured
 * in here, and only for a call that fails. To capture it when the call is made would cost half as
 * much as a wait.
 */
export async function retold(error: Error): Promise<never> {
  await undefined
  await undefined
  captureStackTrace(error, retold)
  throw error
}
