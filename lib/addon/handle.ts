/**
 * Handles: the form in which an object is posted to another thread. They are plain data around the
 * shared memory, so structured clone takes them.
 */
import { invalidType, withCode } from '../errors.js'
import { sharedBufferOf } from './memory.js'
import { native, type ObjectKind } from './native.js'

export interface Handle {
  readonly threadsafe: ObjectKind
  readonly version: number
  readonly memory: WebAssembly.Memory
}

export function makeHandle<Extra extends object>(kind: ObjectKind, memory: WebAssembly.Memory, extra: Extra): Handle & Extra {
  return Object.freeze({ threadsafe: kind, version: native.layoutVersion, memory, ...extra })
}

export function incompatible(detail: string): Error {
  return withCode(new Error(`The handle was made by another version or copy of threadsafe: ${detail}`), 'ERR_INCOMPATIBLE_HANDLE')
}

type Properties = Readonly<Partial<Record<'threadsafe' | 'version' | 'memory' | 'type' | 'name' | 'handle', unknown>>>

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null
}

/** The properties of a handle, each read once. `type` and `name` are not checked yet. */
export interface CheckedHandle {
  readonly memory: WebAssembly.Memory
  readonly type: unknown
  readonly name: unknown
}

/**
 * Throws unless `value` is a handle of that kind and of our version. `owner` is the class whose
 * objects are easily passed by mistake.
 */
export function checkHandle(kind: ObjectKind, value: unknown, owner: { readonly name: string }): CheckedHandle {
  const expected = `the handle of a ${owner.name}`
  if (!isObject(value)) throw invalidType('handle', expected, value)
  const { threadsafe, version, memory, type, name, handle } = value
  if (threadsafe !== kind) {
    // The object itself, or what structured clone has made of it.
    const isOwner = isObject(handle) && handle.threadsafe === kind
    throw invalidType('handle', isOwner ? `${expected}, not the object itself: pass its .handle` : expected, value)
  }
  if (version !== native.layoutVersion) throw incompatible(`it has version ${String(version)}, this is ${native.layoutVersion}`)
  if (!sharedBufferOf(memory)) {
    throw invalidType('handle', `${expected} with its shared memory, which works within one process and does not survive JSON`, value)
  }
  return { memory: memory as WebAssembly.Memory, type, name }
}

/**
 * Describes an object that exists already, from its checked handle. As a constructor's argument it
 * says to open that object. Nobody outside the package can make one.
 */
export class Existing {
  constructor(readonly handle: Handle) {}
}
