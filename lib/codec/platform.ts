/**
 * Objects of Node's own classes. Since Node 21 many of them, a Blob or a URL, are plain to V8's
 * serializer, which then writes what is left of them without what they mean, where
 * `structuredClone` clones or refuses them. That alone knows which: so it is asked.
 */
import { Blob } from 'node:buffer'
import { types } from 'node:util'
import { DOMException, structuredClone } from '../intrinsics.js'

/** What Node has in the prototypes of those that it clones, also of those that are not global. */
const CLONE = Object.getOwnPropertySymbols(Blob.prototype).find(({ description }) => description === 'messaging_clone_symbol')

/**
 * What the language has, V8's serializer knows; of these it writes the properties of arrays alone.
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

function isGlobal(constructor: unknown): boolean {
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return false
  const name: unknown = Object.getOwnPropertyDescriptor(constructor, 'name')?.value
  return typeof name === 'string' && Object.hasOwn(globalThis, name) && (globalThis as Record<string, unknown>)[name] === constructor
}

/** Runs no code of others. */
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

/** Whether it is one that a literal makes, in whatever realm. */
export function isPlain(one: object): boolean {
  const prototype = Object.getPrototypeOf(one) as object | null
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * What `structuredClone` does with an object: makes a plain one of it, or one of its own kind, or
 * refuses it.
 */
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
 * The exceptions that views stand for: V8's serializer can be told to ask what to do with a view.
 */
const standIns = new WeakMap<object, DOMException>()

export function exceptionOf(standIn: object): DOMException | undefined {
  return standIns.get(standIn)
}

/**
 * Puts views in the place of the exceptions in `objects`, all that are reached from the value,
 * which is the caller's own; returns the value.
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
