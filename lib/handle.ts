/** Handles: what an object is posted to another thread as. Plain data around the shared memory, so structured clone takes them. */
import { types } from 'node:util'
import { invalidType, withCode } from './errors.js'
import { native } from './native.js'

export type HandleKind = 'queue' | 'event'

export interface Handle {
  readonly threadsafe: HandleKind
  readonly version: number
  readonly memory: WebAssembly.Memory
}

export function makeHandle<Extra extends object>(kind: HandleKind, memory: WebAssembly.Memory, extra: Extra): Handle & Extra {
  return Object.freeze({ threadsafe: kind, version: native.layoutVersion, memory, ...extra })
}

export function incompatible(detail: string): Error {
  return withCode(new Error(`The handle was made by another version or copy of threadsafe: ${detail}`), 'ERR_INCOMPATIBLE_HANDLE')
}

/** Throws unless `value` is a handle of that kind and version. `owner` is the class whose objects are easily passed by mistake. */
export function checkHandle(kind: HandleKind, value: unknown, owner: abstract new (...args: never[]) => unknown): Handle {
  const expected = `the handle of a ${owner.name}`
  if (value instanceof owner) throw invalidType('handle', `${expected}, not the object itself: pass its .handle`, value)
  const handle = value as Partial<Handle> | null
  if (typeof handle !== 'object' || handle === null || handle.threadsafe !== kind) throw invalidType('handle', expected, value)
  if (handle.version !== native.layoutVersion)
    throw incompatible(`it has version ${String(handle.version)}, this is ${native.layoutVersion}`)
  const { memory } = handle
  if (!(memory instanceof WebAssembly.Memory) || !types.isSharedArrayBuffer(memory.buffer)) throw invalidType('handle', expected, value)
  return handle as Handle
}
