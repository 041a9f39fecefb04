/**
 * `v8.Serializer` made to give back what `structuredClone` gives back, and to refuse what it
 * refuses with the same error.
 */
import { Blob } from 'node:buffer'
import { inspect, types } from 'node:util'
import { Deserializer, Serializer } from 'node:v8'
import { shortened } from '../errors.js'
import { copyInto, DOMException, structuredClone } from '../intrinsics.js'
import { exceptionOf, type Fate, fateOfClone, hideExceptions, isOfLanguage, isOfPlatform, isPlain } from './platform.js'
import { bytesOfView, viewName } from './view.js'

type TypedArrayConstructor = Int8ArrayConstructor

/**
 * A view is written as its kind's place here, its bytes' count and its bytes. What this Node does
 * not have is left out.
 */
const VIEWS: readonly (TypedArrayConstructor | DataViewConstructor)[] = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
].flatMap((name) => (globalThis as unknown as Record<string, TypedArrayConstructor | undefined>)[name] ?? [])

/** After the kinds of views: an ArrayBuffer. */
const BUFFER = VIEWS.length + 2
export const NO_KIND = -1

const { get: isResizable } = (Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable') ?? {}) as {
  get?: (this: ArrayBuffer) => boolean
}

/**
 * What kind of view or buffer it is, which is then all that is to be cloned; NO_KIND for other
 * objects, and for a buffer that has more to it.
 */
export function kindOfWhole(item: object): number {
  if (ArrayBuffer.isView(item)) return kindOf(item)
  return types.isArrayBuffer(item) && !isResizable?.call(item) ? BUFFER : NO_KIND
}

/** Its bytes, which are still its own. Throws a `DataCloneError` if it is detached. */
export function bytesOfWhole(item: object): Uint8Array {
  if (ArrayBuffer.isView(item)) return bytesOf(item)
  try {
    return new Uint8Array(item as ArrayBuffer)
  } catch {
    return refuse(item)
  }
}

/** What had these bytes, of a buffer of their own. */
export function wholeOf(kind: number, { buffer }: Uint8Array<ArrayBuffer>): unknown {
  return kind === BUFFER ? buffer : new (VIEWS[kind] as TypedArrayConstructor)(buffer)
}

/**
 * In place of a view's kind: the environment, which is a host object, and cloned as a plain one.
 */
const ENVIRONMENT = VIEWS.length
/** Likewise: a DOMException follows. */
const EXCEPTION = VIEWS.length + 1

interface WrittenException {
  readonly name: string
  readonly message: string
  readonly stack: unknown
}

function kindOf(view: ArrayBufferView): number {
  const name = viewName(view)
  return VIEWS.findIndex((constructor) => constructor.name === name)
}

/** Its class in one word; or the whole of what is no object. */
function describe(what: unknown): string {
  try {
    return shortened(inspect(what, { depth: -1, customInspect: false })).replace(/^\[(.*)\]$/, '$1')
  } catch {
    return 'The object'
  }
}

function cloneError(what: string, instead: string): DOMException {
  return new DOMException(`${what} could not be cloned: ${instead}.`, 'DataCloneError')
}

function refuse(what: unknown): never {
  throw types.isSharedArrayBuffer(what)
    ? cloneError('SharedArrayBuffer', 'send it, or the handle of a queue or event that it is part of, by postMessage() or workerData')
    : cloneError(describe(what), 'send it by postMessage() or workerData, or put plain data that stands for it')
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  try {
    return bytesOfView(view)
  } catch {
    return refuse(view)
  }
}

class StructuredSerializer extends Serializer {
  constructor() {
    super()
    // So that a view is given to _writeHostObject, and carries its own bytes instead of the whole
    // of its buffer.
    ;(this as unknown as { _setTreatArrayBufferViewsAsHostObjects(yes: boolean): void })._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called by V8 as a constructor of the error to throw. */
  _getDataCloneError(message: string): DOMException {
    return cloneError(shortened(message.replace(/ could not be cloned\.$/, '')), 'put plain data that stands for it')
  }

  /**
   * Called by V8 for a SharedArrayBuffer, or what holds one: it would need a way of its own to the
   * other thread.
   */
  _getSharedArrayBufferId(buffer: SharedArrayBuffer): never {
    refuse(buffer)
  }

  _writeHostObject(object: object): void {
    if (object === process.env) {
      this.writeUint32(ENVIRONMENT)
      this.writeValue({ ...process.env })
      return
    }
    const exception = exceptionOf(object)
    if (exception) {
      const { name, message, stack } = exception
      this.writeUint32(EXCEPTION)
      this.writeValue({ name, message, stack } satisfies WrittenException)
      return
    }
    const kind = ArrayBuffer.isView(object) ? kindOf(object) : -1
    if (kind < 0) refuse(object)
    const bytes = bytesOf(object as ArrayBufferView)
    this.writeUint32(kind)
    this.writeUint32(bytes.length)
    this.writeRawBytes(bytes)
  }
}

class StructuredDeserializer extends Deserializer {
  _readHostObject(): object {
    const kind = this.readUint32()
    if (kind === ENVIRONMENT) return this.readValue() as object
    if (kind === EXCEPTION) {
      const { name, message, stack } = this.readValue() as WrittenException
      return Object.assign(new DOMException(message, name), { stack })
    }
    const constructor = VIEWS[kind] as TypedArrayConstructor
    const length = this.readUint32()
    const bytes = new Uint8Array(length)
    copyInto(bytes, this.readRawBytes(length))
    return new constructor(bytes.buffer)
  }
}

const { forEach: forEachEntry } = Map.prototype
const { forEach: forEachItem } = Set.prototype

const { exports: exportsOf } = WebAssembly.Module

function isModule(object: object): boolean {
  // One of another realm is known by asking it alone, which takes long.
  if (!(object instanceof WebAssembly.Module) && (isPlain(object) || isOfLanguage(object))) return false
  try {
    exportsOf(object as WebAssembly.Module)
    return true
  } catch {
    // It only inherits from one.
    return false
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** What there is in a value, as far as can be told without running code of others. */
interface Content {
  readonly objects: ReadonlySet<object>
  /** There are getters, which may return anything. */
  readonly getters: boolean
  readonly exceptions: boolean
  /** An error that is reached from its own cause is written in a way that V8 can't read. */
  readonly causes: boolean
}

/**
 * V8's serializer takes a WebAssembly module, and writes nothing that could be read again; and it
 * writes objects of Node's own as if they were plain. They would be lost on the way. So they are
 * looked for before, and refused.
 */
function contentOf(value: object): Content {
  // Those that are added while it is gone through are gone through as well.
  const found = new Set<object>()
  const find = (one: unknown): unknown => isObject(one) && found.add(one)
  find(value)
  let getters = false
  let exceptions = false
  let causes = false
  forEachItem.call(found, (one) => {
    // A proxy is refused by V8, and would have its traps called.
    if (ArrayBuffer.isView(one) || types.isProxy(one)) return
    if (isModule(one)) refuse(one)
    const fate = fateOf(one)
    if (fate === 'refused') refuse(one)
    exceptions ||= fate === 'exception'
    if (types.isMap(one)) {
      forEachEntry.call(one, (item, key) => {
        find(key)
        find(item)
      })
    } else if (types.isSet(one)) {
      forEachItem.call(one, find)
    } else if (types.isNativeError(one)) {
      // Not enumerable, but cloned.
      const cause = Object.getOwnPropertyDescriptor(one, 'cause')
      causes ||= isObject(cause?.value)
      getters ||= cause?.get !== undefined
      find(cause?.value)
    }
    if (isOfLanguage(one) && !Array.isArray(one)) return
    const keys = Object.keys(one)
    for (let k = 0; k < keys.length; k++) {
      const property = Object.getOwnPropertyDescriptor(one, keys[k] as string)
      getters ||= property?.get !== undefined
      find(property?.value)
    }
  })
  return { objects: found, getters, exceptions, causes }
}

/** Throws a `DataCloneError`, a `DOMException`, for what can't be cloned. */
export function serialize(value: unknown): Uint8Array {
  if (!isObject(value)) return written(value)
  const { getters, exceptions, causes } = contentOf(value)
  // Even if it does not count then, as structuredClone crashes at what this finds: a port that is
  // closed.
  const bytes = written(value)
  if (exceptions) return writtenClone(value)
  if (!getters && !causes) return bytes
  let copy: unknown
  try {
    copy = deserialize(bytes)
  } catch {
    refuse(value)
  }
  return getters && platformLooksPlain() && isObject(copy) && hasRemains(copy) ? writtenClone(value) : bytes
}

/** Whether the copy has what may be the remains of a Blob, say, or a DOMException that a getter returned. */
function hasRemains(copy: object): boolean {
  for (const one of contentOf(copy).objects) {
    if (types.isNativeError(one) || (isPlain(one) && Object.keys(one).length === 0)) return true
  }
  return false
}

/** Encodes a clone, in which getters have become what they returned. They run once more for it. */
function writtenClone(value: object): Uint8Array {
  const clone = structuredClone(value)
  const { objects, exceptions } = contentOf(clone)
  return written(exceptions ? hideExceptions(clone, objects) : clone)
}

let looksPlain: boolean | undefined

/** Whether V8's serializer takes objects of Node's own classes for plain ones. */
function platformLooksPlain(): boolean {
  looksPlain ??= isWritten(new Blob([]))
  return looksPlain
}

function isWritten(one: object): boolean {
  try {
    written(one)
    return true
  } catch {
    return false
  }
}

/** Whether the object is of Node's own, and so refused, or an exception. */
function fateOf(one: object): Fate {
  if (!isOfPlatform(one) || !platformLooksPlain()) return 'plain'
  // First V8's serializer, as structuredClone crashes at a port that is closed.
  return isWritten(one) ? fateOfClone(one) : 'refused'
}

function written(value: unknown): Uint8Array {
  const serializer = new StructuredSerializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

export function deserialize(bytes: Uint8Array): unknown {
  const deserializer = new StructuredDeserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}
