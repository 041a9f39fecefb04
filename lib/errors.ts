/** Every error that this package throws by itself. Errors about arguments look like Node's own. */
import { inspect } from 'node:util'

/** What all errors of a queue or an event have in common: a `code`. */
export class ThreadSafeError extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }

  override get name(): string {
    return this.constructor.name
  }
}

/** A put that does not wait found the queue full. */
export class QueueFullError extends ThreadSafeError {
  constructor() {
    super('The queue is full', 'ERR_QUEUE_FULL')
  }
}

/** A get that does not wait found the queue empty. */
export class QueueEmptyError extends ThreadSafeError {
  constructor() {
    super('The queue is empty', 'ERR_QUEUE_EMPTY')
  }
}

/** A put to a closed queue, or a get from one that is closed and drained. */
export class QueueClosedError extends ThreadSafeError {
  /** From `select()` and `selectSync()`: the queue that is closed and drained. */
  declare readonly source?: object
  /** From `select()` and `selectSync()`: its place among the sources. */
  declare readonly index?: number

  constructor() {
    super('The queue is closed', 'ERR_QUEUE_CLOSED')
  }
}

/** The time that a call was given passed before it could do its work; it did nothing. */
export class TimeoutError extends ThreadSafeError {
  constructor(milliseconds: number) {
    super(`Nothing happened within ${milliseconds} ms`, 'ERR_TIMEOUT')
  }
}

type WithCode<E extends Error> = E & { code: string }

export function withCode<E extends Error>(error: E, code: string): WithCode<E> {
  return Object.assign(error, { code })
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60 })
  return value === null || value === undefined ? text : `type ${typeof value} (${text})`
}

/** `name` is not of the type it should be. */
export function invalidType(name: string, expected: string, received: unknown): WithCode<TypeError> {
  return withCode(new TypeError(`The "${name}" argument must be ${expected}. Received ${shown(received)}`), 'ERR_INVALID_ARG_TYPE')
}

/** `name` is of the right type, and none of the values that it may have. */
export function invalidValue(name: string, expected: string, received: unknown): WithCode<TypeError> {
  return withCode(
    new TypeError(`The argument "${name}" must be ${expected}. Received ${inspect(received, { depth: 0 })}`),
    'ERR_INVALID_ARG_VALUE',
  )
}

/** `name` is a number or a size that is too small or too large. */
export function outOfRange(name: string, expected: string, received: unknown): WithCode<RangeError> {
  return withCode(
    new RangeError(`The value of "${name}" is out of range. It must be ${expected}. Received ${inspect(received)}`),
    'ERR_OUT_OF_RANGE',
  )
}
