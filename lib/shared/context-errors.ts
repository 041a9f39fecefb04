/**
 * Carries what a job throws to whoever awaits it. Structured clone turns errors into plain ones,
 * without their code and without anything else that their class adds. So errors are taken apart on
 * one side and put together on the other.
 */
import { types } from 'node:util'
import { deserialize, serialize } from '../codec/structured.js'
import { oneLine, withCode } from '../errors.js'
import { DOMException } from '../intrinsics.js'
import { MOST_BYTES } from './context-protocol.js'

/** An error, by its index among those of the parcel, or another value. */
type Part = { readonly error: number } | { readonly value: unknown }

interface PackedError {
  /** The built-in class of the error, or the one that its class is derived from. */
  readonly base: keyof typeof BASES
  readonly name: string
  readonly message: string
  readonly stack: string
  /** The error's other properties, the non-enumerable ones first. */
  readonly hidden: readonly (readonly [name: string, part: Part | readonly Part[]])[]
  readonly shown: readonly (readonly [name: string, part: Part])[]
}

/** A thrown value as it travels through a queue. */
export interface Packed {
  readonly thrown: Part
  readonly errors: readonly PackedError[]
}

/** Makes an error of each class. The special classes come first. */
const BASES = {
  DOMException: (message: string, name: string): Error => new DOMException(message, name),
  AggregateError: (message: string): Error => new AggregateError([], message),
  EvalError: (message: string): Error => new EvalError(message),
  RangeError: (message: string): Error => new RangeError(message),
  ReferenceError: (message: string): Error => new ReferenceError(message),
  SyntaxError: (message: string): Error => new SyntaxError(message),
  TypeError: (message: string): Error => new TypeError(message),
  URIError: (message: string): Error => new URIError(message),
  Error: (message: string): Error => new Error(message),
}
type Base = keyof typeof BASES
const PROTOTYPES = Object.entries(BASES).map(([name, make]) => [name as Base, Object.getPrototypeOf(make('', '')) as object] as const)

/** A limit, since a chain of causes is endless where a getter makes the next one. */
const MOST_ERRORS = 100

/** The properties that are read by name, whether or not they are the error's own. */
const NAMED = new Set(['name', 'message', 'stack', 'code', 'cause'])

/** Reads a property. That may run the error's own code, whose exceptions are ignored. */
function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  if (types.isProxy(value)) return false
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

function baseOf(error: Error): Base {
  for (const [name, prototype] of PROTOTYPES) if (Object.prototype.isPrototypeOf.call(prototype, error)) return name
  // The error comes from another realm.
  const name = read(error, 'name')
  return typeof name === 'string' && Object.hasOwn(BASES, name) && name !== 'DOMException' ? (name as Base) : 'Error'
}

class Packer {
  readonly errors: (PackedError | undefined)[] = []
  readonly #places = new Map<Error, number>()

  /** Throws a `DataCloneError` for a value that can't be cloned. */
  part(value: unknown): Part {
    if (!isError(value)) return { value: deserialize(serialize(value)) }
    const known = this.#places.get(value)
    if (known !== undefined) return { error: known }
    if (this.errors.length === MOST_ERRORS) return { value: oneLine(value) }
    const place = this.errors.push(undefined) - 1
    this.#places.set(value, place)
    this.errors[place] = this.#pack(value)
    return { error: place }
  }

  #pack(error: Error): PackedError {
    const text = (name: string, usual: string) => {
      const value = read(error, name)
      return typeof value === 'string' ? value : usual
    }
    const base = baseOf(error)
    const name = text('name', base)
    const message = text('message', '')
    const stack = text('stack', `${name}: ${message}`)
    const hidden: [string, Part | Part[]][] = []
    const shown: [string, Part][] = []
    if (Object.hasOwn(error, 'cause') || read(error, 'cause') !== undefined) hidden.push(['cause', this.#described(read(error, 'cause'))])
    const several = base === 'AggregateError' ? read(error, 'errors') : undefined
    if (Array.isArray(several)) hidden.push(['errors', several.map((one) => this.#described(one))])
    const keys = types.isProxy(error) ? [] : Object.keys(error).filter((key) => !NAMED.has(key) && !hidden.some(([other]) => other === key))
    // A DOMException gets its code from its name.
    if (base !== 'DOMException' && read(error, 'code') !== undefined) keys.push('code')
    for (const key of keys) {
      try {
        shown.push([key, this.part(read(error, key))])
      } catch {
        // A property that means nothing in another thread is left out.
      }
    }
    return { base, name, message, stack, hidden, shown }
  }

  /** Describes a value that can't be cloned in words. */
  #described(value: unknown): Part {
    try {
      return this.part(value)
    } catch {
      return { value: oneLine(value) }
    }
  }
}

/** Packs a thrown value, or the reason why it can't be passed on. Throws nothing. */
export function pack(thrown: unknown): Packed {
  const packer = new Packer()
  let part: Part
  try {
    part = packer.part(thrown)
  } catch (error) {
    part = packer.part(error)
  }
  return { thrown: part, errors: packer.errors as PackedError[] }
}

/** Returns the value that was packed. */
export function unpack({ thrown, errors }: Packed): unknown {
  const made = errors.map(({ base, name, message }) => BASES[base](message, name))
  const whole = (part: Part): unknown => ('error' in part ? made[part.error] : part.value)
  for (const [k, { name, message, stack, hidden, shown }] of errors.entries()) {
    const error = made[k] as Error
    const define = (key: string, value: unknown, enumerable = false) =>
      Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true })
    if (error.name !== name) define('name', name)
    if (error.message !== message) define('message', message)
    define('stack', stack)
    for (const [key, part] of hidden) define(key, isList(part) ? part.map(whole) : whole(part))
    for (const [key, part] of shown) define(key, whole(part), true)
  }
  return whole(thrown)
}

function isList(part: Part | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part)
}

/** Whether a queue has refused a job or an answer for its length. */
export function isTooLarge(error: unknown): boolean {
  return types.isNativeError(error) && (error as { code?: unknown }).code === 'ERR_ITEM_TOO_LARGE'
}

export function tooLarge(what: string): RangeError {
  const instead = 'Pass it in parts, through a file, or through a SharedArrayBuffer that the module gets as its workerData'
  return withCode(
    new RangeError(`The ${what} takes more than the ${MOST_BYTES} bytes that a context passes on. ${instead}`),
    'ERR_ITEM_TOO_LARGE',
  )
}
