/**
 * A `v8.Serializer` that gives what `structuredClone` gives, and refuses what that refuses, with
 * the same error.
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
 * A view is written as its kind's index here, the number of its bytes, and its bytes. Kinds that
 * this Node does not have are left out.
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

/** The kind of an ArrayBuffer, after those of views. */
const BUFFER = VIEWS.length + 2
export const NO_KIND = -1

const { get: isResizable } = (Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable') ?? {}) as {
  get?: (this: ArrayBuffer) => boolean
}

/**
 * The kind of a view or buffer that is cloned by its bytes alone; NO_KIND for other objects, and
 * for resizable buffers.
 */
export function kindOfWhole(item: object): number {
  if (ArrayBuffer.isView(item)) return kindOf(item)
  return types.isArrayBuffer(item) && !isResizable?.call(item) ? BUFFER : NO_KIND
}

/** A view of its bytes. Throws a `DataCloneError` if it is detached. */
export function bytesOfWhole(item: object): Uint8Array {
  if (ArrayBuffer.isView(item)) return bytesOf(item)
  try {
    return new Uint8Array(item as ArrayBuffer)
  } catch {
    return refuse(item)
  }
}

/** Makes the view or buffer of that kind over these bytes, which have a buffer of their own. */
export function wholeOf(kind: number, { buffer }: Uint8Array<ArrayBuffer>): unknown {
  return kind === BUFFER ? buffer : new (VIEWS[kind] as TypedArrayConstructor)(buffer)
}

/**
 * Written in place of a view's kind for `process.env`, a host object that is cloned as a plain one.
 */
const ENVIRONMENT = VIEWS.length
/** Written in place of a view's kind for a DOMException, which follows. */
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

/** An object's class in one word; a primitive as a whole. */
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
    // Makes V8 pass views to _writeHostObject, so that a view carries its own bytes instead of its
    // whole buffer.
    ;(this as unknown as { _setTreatArrayBufferViewsAsHostObjects(yes: boolean): void })._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called by V8 as a constructor of the error to throw. */
  _getDataCloneError(message: string): DOMException {
    return cloneError(shortened(message.replace(/ could not be cloned\.$/, '')), 'put plain data that stands for it')
  }

  /**
   * Called by V8 for a SharedArrayBuffer, or an object that holds one, which would need another way
   * to the other thread.
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
    // Read before there is memory for a copy: a length that was written over may be 4 GiB.
    const found = this.readRawBytes(length)
    const bytes = new Uint8Array(length)
    copyInto(bytes, found)
    return new constructor(bytes.buffer)
  }
}

const { forEach: forEachEntry } = Map.prototype
const { forEach: forEachItem } = Set.prototype

const { exports: exportsOf } = WebAssembly.Module

function isModule(object: object): boolean {
  // A module of another realm can be recognized only by asking the object, which takes long.
  if (!(object instanceof WebAssembly.Module) && (isPlain(object) || isOfLanguage(object))) return false
  try {
    exportsOf(object as WebAssembly.Module)
    return true
  } catch {
    // It only inherits from a module.
    return false
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The contents of a value, as far as they can be seen without running user code. */
interface Content {
  readonly objects: ReadonlySet<object>
  /** Whether there are getters, which may return anything. */
  readonly getters: boolean
  readonly exceptions: boolean
  /** Whether an error is reached from its own cause. V8 writes that in a way that it can't read. */
  readonly causes: boolean
}

/**
 * Looks for objects that would be lost on the way, and refuses them. V8's serializer takes a
 * WebAssembly module, but writes nothing that could be read again, and it writes objects of Node's
 * own as if they were plain.
 */
function contentOf(value: object): Content {
  // Iteration also covers objects that are added meanwhile.
  const found = new Set<object>()
  const find = (one: unknown): unknown => isObject(one) && found.add(one)
  find(value)
  let getters = false
  let exceptions = false
  let causes = false
  forEachItem.call(found, (one) => {
    // V8 refuses proxies; looking into one would call its traps.
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
  // Written first, even if the result is not used, since structuredClone crashes at a closed port,
  // which this refuses.
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

/**
 * Whether the copy has what may be the remains of a Blob, say, or a DOMException that a getter
 * returned.
 */
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

/** Whether the object is one of Node's, and so refused, or an exception. */
function fateOf(one: object): Fate {
  if (!isOfPlatform(one) || !platformLooksPlain()) return 'plain'
  // Tries V8's serializer first, as structuredClone crashes at a closed port.
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
