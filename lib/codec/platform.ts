/**
 * Finds objects of Node's own classes. Since Node 21 many of them, such as a Blob or a URL, look
 * plain to V8's serializer, which writes only their remains. `structuredClone` clones or refuses
 * them. Only it knows which, so it is asked.
 */
import { Blob } from 'node:buffer'
import { types } from 'node:util'
import { DOMException, structuredClone } from '../intrinsics.js'

/**
 * The symbol that Node has in the prototypes of classes that it clones, even of those that are not
 * global.
 */
const CLONE = Object.getOwnPropertySymbols(Blob.prototype).find(({ description }) => description === 'messaging_clone_symbol')

/**
 * Whether it is of a kind that the language has, which V8's serializer knows. Of these kinds it
 * writes extra properties for arrays alone.
 */
export function isOfLanguage(one: object): boolean {
  return (
    Array.isArray(one) ||
    ArrayBuffer.isView(one) ||
    types.isAnyArrayBuffer(one) ||
    types.isMap(one) ||
    types.isSet(one) ||
    types.isDate(one) ||
    types.isRegExp(one) ||
    types.isNativeError(one) ||
    types.isBoxedPrimitive(one)
  )
}

function isCloned(prototype: object): boolean {
  return CLONE !== undefined && Object.hasOwn(prototype, CLONE)
}

/**
 * Node's classes that are global have these names. A program may later make a class of its own
 * global, which is none of Node's.
 */
const GLOBALS = Object.assign(
  Object.create(null) as Record<string, unknown>,
  Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, true])),
)

function isGlobal(constructor: unknown): boolean {
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return false
  const name: unknown = Object.getOwnPropertyDescriptor(constructor, 'name')?.value
  return typeof name === 'string' && GLOBALS[name] === true && (globalThis as Record<string, unknown>)[name] === constructor
}

/** Whether it is of one of Node's classes. Runs no user code. */
export function isOfPlatform(one: object): boolean {
  const error = types.isNativeError(one)
  if (isOfLanguage(one) && !error) return false
  for (let at = one; ;) {
    const prototype = Object.getPrototypeOf(at) as object | null
    if (prototype === null || prototype === Object.prototype || types.isProxy(prototype)) return false
    if (prototype === DOMException.prototype) return true
    if (!error && (isCloned(prototype) || isGlobal(Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value))) return true
    at = prototype
  }
}

/** Whether it is like an object that a literal makes, in any realm. */
export function isPlain(one: object): boolean {
  const prototype = Object.getPrototypeOf(one) as object | null
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The result of `structuredClone` for an object: a plain object, a DOMException, or a refusal. */
export type Fate = 'plain' | 'exception' | 'refused'

export function fateOfClone(one: object): Fate {
  let clone: object
  try {
    clone = structuredClone(one)
  } catch {
    return 'refused'
  }
  if (isPlain(clone)) return 'plain'
  return clone instanceof DOMException ? 'exception' : 'refused'
}

/**
 * The exceptions that views stand in for. V8's serializer can be made to ask what to do with a
 * view.
 */
const standIns = new WeakMap<object, DOMException>()

export function exceptionOf(standIn: object): DOMException | undefined {
  return standIns.get(standIn)
}

/**
 * Replaces exceptions by views, in the value and in all `objects` that are reached from it. These
 * must be the caller's own. Returns the value.
 */
export function hideExceptions(value: unknown, objects: ReadonlySet<object>): unknown {
  const hidden = new Map<DOMException, Uint8Array>()
  const hide = (one: unknown): unknown => {
    if (!(one instanceof DOMException)) return one
    let standIn = hidden.get(one)
    if (!standIn) {
      standIn = new Uint8Array(0)
      standIns.set(standIn, one)
      hidden.set(one, standIn)
    }
    return standIn
  }
  for (const one of objects) {
    if (ArrayBuffer.isView(one) || one instanceof DOMException) continue
    if (types.isMap(one)) {
      const entries = [...one]
      one.clear()
      for (const [key, item] of entries) one.set(hide(key), hide(item))
    } else if (types.isSet(one)) {
      const items = [...one]
      one.clear()
      for (const item of items) one.add(hide(item))
    } else if (types.isNativeError(one)) {
      if (Object.hasOwn(one, 'cause')) one.cause = hide(one.cause)
    } else if (Array.isArray(one) || !isOfLanguage(one)) {
      const object = one as Record<string, unknown>
      for (const key of Object.keys(object)) object[key] = hide(object[key])
    }
  }
  return hide(value)
}
