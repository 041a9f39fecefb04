/** `v8.Serializer` made to give back what `structuredClone` gives back, and to refuse what it refuses with the same error. */
import { inspect } from 'node:util'
import { Deserializer, Serializer } from 'node:v8'

type View = Exclude<NodeJS.TypedArray, never> | DataView

/** A view is written as its kind's place here, its bytes' count and its bytes. */
const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const

function kindOf(view: ArrayBufferView): number {
  // By what it is, not by its class: a Buffer, and any other class of the user's, is the Uint8Array that it extends.
  const name = Object.prototype.toString.call(view).slice('[object '.length, -1)
  return VIEWS.findIndex((constructor) => constructor.name === name)
}

function refuse(what: unknown): never {
  throw new DOMException(`${inspect(what, { depth: 0 })} could not be cloned.`, 'DataCloneError')
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

  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object)) refuse(object)
    this.writeUint32(kindOf(object))
    this.writeUint32(object.byteLength)
    this.writeRawBytes(new Uint8Array(object.buffer, object.byteOffset, object.byteLength))
  }
}

class StructuredDeserializer extends Deserializer {
  _readHostObject(): View {
    const constructor = VIEWS[this.readUint32()] as (typeof VIEWS)[number]
    const length = this.readUint32()
    const bytes = new Uint8Array(length)
    bytes.set(this.readRawBytes(length))
    return constructor === DataView
      ? new DataView(bytes.buffer)
      : (new (constructor as Int8ArrayConstructor)(
          bytes.buffer,
          0,
          length / (constructor as Int8ArrayConstructor).BYTES_PER_ELEMENT,
        ) as View)
  }
}

/** Throws a `DataCloneError`, a `DOMException`, for what can't be cloned. */
export function serialize(value: unknown): Uint8Array {
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
