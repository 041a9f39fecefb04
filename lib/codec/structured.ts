/** `v8.Serializer` made to give back what `structuredClone` gives back, and to refuse what it refuses with the same error. */
import { inspect } from 'node:util'
import { Deserializer, Serializer } from 'node:v8'

type TypedArrayConstructor = Int8ArrayConstructor

/** A view is written as its kind's place here, its bytes' count and its bytes. What this Node does not have is left out. */
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

// By what it is, not by its class or what it says it is: a Buffer, or any class of the user's, is the Uint8Array that it extends.
const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get as () =>
  string | undefined

function kindOf(view: ArrayBufferView): number {
  const name = typedArrayName.call(view) ?? 'DataView'
  return VIEWS.findIndex((constructor) => constructor.name === name)
}

function refuse(what: unknown): never {
  throw new DOMException(`${inspect(what, { depth: 0 })} could not be cloned.`, 'DataCloneError')
}

/** The bytes that a view shows; refused if its buffer is detached. */
function bytesOf(view: ArrayBufferView): Uint8Array {
  try {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  } catch {
    return refuse(view)
  }
}

class StructuredSerializer extends Serializer {
  constructor() {
    super()
    // So that a view is given to _writeHostObject, and carries its own bytes instead of the whole of its buffer.
    ;(this as unknown as { _setTreatArrayBufferViewsAsHostObjects(yes: boolean): void })._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called by V8 as a constructor of the error to throw. */
  _getDataCloneError(message: string): DOMException {
    return new DOMException(message, 'DataCloneError')
  }

  /** Called by V8 for a SharedArrayBuffer, or what holds one: it would need a way of its own to the other thread. */
  _getSharedArrayBufferId(buffer: SharedArrayBuffer): never {
    refuse(buffer)
  }

  _writeHostObject(object: object): void {
    const kind = ArrayBuffer.isView(object) ? kindOf(object) : -1
    if (kind < 0) refuse(object)
    const bytes = bytesOf(object as ArrayBufferView)
    this.writeUint32(kind)
    this.writeUint32(bytes.length)
    this.writeRawBytes(bytes)
  }
}

class StructuredDeserializer extends Deserializer {
  _readHostObject(): ArrayBufferView {
    const constructor = VIEWS[this.readUint32()] as TypedArrayConstructor
    const length = this.readUint32()
    const bytes = new Uint8Array(length)
    bytes.set(this.readRawBytes(length))
    return new constructor(bytes.buffer)
  }
}

/**
 * V8's serializer takes a WebAssembly module, and writes nothing that could be read again: it would be lost on the way. So it is looked for before. Getters
 * are not called.
 */
function refuseModules(value: unknown): void {
  const seen = new Set<unknown>()
  const left: unknown[] = [value]
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one !== 'object' || one === null || seen.has(one) || ArrayBuffer.isView(one)) continue
    if (one instanceof WebAssembly.Module) refuse(one)
    seen.add(one)
    if (one instanceof Map) left.push(...one.keys(), ...one.values())
    else if (one instanceof Set) left.push(...one)
    for (const key of Object.keys(one)) left.push(Object.getOwnPropertyDescriptor(one, key)?.value)
  }
}

/** Throws a `DataCloneError`, a `DOMException`, for what can't be cloned. */
export function serialize(value: unknown): Uint8Array {
  refuseModules(value)
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
