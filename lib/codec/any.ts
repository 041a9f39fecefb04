/**
 * Any value that `structuredClone` takes without a transfer list. A byte in front tells how the rest is encoded: primitives, strings, and small plain
 * objects each by a path of their own, everything else by V8's serializer.
 */
import { copyInto, uncurried } from '../intrinsics.js'
import { reserve, scratch, scratchView, trim, USUAL_BYTES } from '../addon/scratch.js'
import type { MessageCodec } from './message.js'
import { decodePlain } from './plain/reader.js'
import { encodePlain } from './plain/writer.js'
import { decodeString, encodeString } from './string.js'
import { deserialize, serialize } from './structured.js'

const STRING = 0 // and 1, for its two encodings
const SERIALIZED = 2
const NUMBER = 3
const PLAIN = 4
/** These stand for themselves: their tag is FIRST_SIMPLE and their place here. */
const SIMPLE: readonly unknown[] = [undefined, null, true, false]
const FIRST_SIMPLE = 5

const indexOf = uncurried(Array.prototype.indexOf as (this: readonly unknown[], item: unknown) => number)

function encodeObject(item: object): number {
  const end = encodePlain(item, 1)
  if (end < 0) return store(SERIALIZED, serialize(item))
  scratch[0] = PLAIN
  return end
}

function store(tag: number, bytes: Uint8Array): number {
  const to = reserve(1 + bytes.length).bytes
  to[0] = tag
  copyInto(to, bytes, 1)
  return 1 + bytes.length
}

function decodeSerialized(bytes: number): unknown {
  // A copy: views that are deserialized may refer to what they are read from.
  const copy = new Uint8Array(bytes - 1)
  copyInto(copy, new Uint8Array(reserve(bytes).buffer, 1, bytes - 1))
  trim()
  return deserialize(copy)
}

export const anyCodec: MessageCodec<unknown> = {
  encode(item) {
    if (typeof item === 'number') {
      scratch[0] = NUMBER
      scratchView.setFloat64(1, item, true)
      return 9
    }
    if (typeof item === 'string') return encodeString(item, STRING)
    if (typeof item === 'object' && item !== null) return encodeObject(item)
    const simple = indexOf(SIMPLE, item)
    if (simple < 0) return store(SERIALIZED, serialize(item))
    scratch[0] = FIRST_SIMPLE + simple
    return 1
  },
  decode(bytes) {
    const tag = (bytes <= USUAL_BYTES ? scratch : reserve(bytes).bytes)[0] as number
    if (tag === NUMBER) return scratchView.getFloat64(1, true)
    if (tag < SERIALIZED) return decodeString(bytes, STRING)
    if (tag === PLAIN) return decodePlain(1)
    if (tag === SERIALIZED) return decodeSerialized(bytes)
    return SIMPLE[tag - FIRST_SIMPLE]
  },
}
