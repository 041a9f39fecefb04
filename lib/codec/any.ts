/**
 * Encodes any value that `structuredClone` takes without a transfer list. A tag in the head says
 * how the rest is encoded: primitives, strings, views and buffers, and small plain objects each
 * have a path of their own, and V8's serializer takes everything else.
 */
import { isNativeError } from 'node:util/types'
import { type Bytes, scratch, type Space } from '../addon/space.js'
import { damaged } from '../errors.js'
import { copyInto, uncurried } from '../intrinsics.js'
import { type Hand, HEAD_BYTES } from './hand.js'
import type { MessageCodec } from './message.js'
import { decodePlain } from './plain/reader.js'
import { encodePlain, TOO_LONG } from './plain/writer.js'
import { decodeString, encodeString, receiveString } from './string.js'
import { bytesOfWhole, deserialize, kindOfWhole, NO_KIND, serialize, wholeOf } from './structured.js'

const STRING = 0 // and 1, for its two encodings
const SERIALIZED = 2
const NUMBER = 3
const PLAIN = 4
/** The item is a view or a buffer; the kind of view follows. */
const WHOLE = 5
/**
 * The longest plain value. It must fit into the thread's buffer, where it is read, even if a batch
 * has more room; V8's serializer takes longer ones.
 */
const MOST_PLAIN = scratch.size - HEAD_BYTES
/** Values that have only a tag: FIRST_SIMPLE plus their index here. */
const SIMPLE: readonly unknown[] = [undefined, null, true, false]
const FIRST_SIMPLE = 6

const indexOf = uncurried(Array.prototype.indexOf as (this: readonly unknown[], item: unknown) => number)

function encodeObject(item: object, hand: Hand): void {
  const kind = kindOfWhole(item)
  if (kind !== NO_KIND) {
    const space = store(WHOLE, bytesOfWhole(item), hand)
    space.bytes[hand.at + 1] = kind
    return
  }
  let space = hand.room(HEAD_BYTES)
  let end = encodePlain(item, space, hand.at + HEAD_BYTES, MOST_PLAIN)
  if (end === TOO_LONG) {
    space = hand.room(scratch.size)
    end = encodePlain(item, space, hand.at + HEAD_BYTES, MOST_PLAIN)
  }
  if (end < 0) {
    store(SERIALIZED, serialize(item), hand)
    return
  }
  space.bytes[hand.at] = PLAIN
  hand.end = end
}

function store(tag: number, body: Uint8Array, hand: Hand): Space {
  const bytes = HEAD_BYTES + body.length
  let space: Space
  if (hand.takes(bytes)) {
    space = hand.room(bytes)
    copyInto(space.bytes, body, hand.at + HEAD_BYTES)
  } else {
    space = hand.lend(HEAD_BYTES, body)
  }
  space.bytes[hand.at] = tag
  return space
}

/** A copy of the item's body. */
function bodyOf(from: Space, at: number, bytes: number): Uint8Array<ArrayBuffer> {
  const length = bytes - HEAD_BYTES
  const body = new Uint8Array(length)
  copyInto(body, new Uint8Array(from.buffer, from.offset + at + HEAD_BYTES, length))
  return body
}

/** V8's messages when it has run out of stack or memory: the item itself may be good. */
const RUN_OUT = ['Maximum call stack size exceeded', 'Array buffer allocation failed']

/**
 * The error to throw where decoding has failed: nothing that was put is refused there, so the bytes
 * are not those of an item.
 */
function undecodable(error: unknown): unknown {
  return isNativeError(error) && indexOf(RUN_OUT, error.message) >= 0 ? error : damaged()
}

export const anyCodec: MessageCodec<unknown> = {
  encode(item, hand) {
    if (typeof item === 'number') {
      const { bytes, view } = hand.room(2 * HEAD_BYTES)
      bytes[hand.at] = NUMBER
      view.setFloat64(hand.at + HEAD_BYTES, item, true)
    } else if (typeof item === 'string') {
      encodeString(item, STRING, hand)
    } else if (typeof item === 'object' && item !== null) {
      encodeObject(item, hand)
    } else {
      const simple = indexOf(SIMPLE, item)
      if (simple < 0) store(SERIALIZED, serialize(item), hand)
      else hand.room(HEAD_BYTES).bytes[hand.at] = FIRST_SIMPLE + simple
    }
  },
  decode(from, at, bytes) {
    const tag = from.bytes[at] as number
    if (tag === NUMBER) return from.view.getFloat64(at + HEAD_BYTES, true)
    try {
      if (tag < SERIALIZED) return decodeString(from, at, bytes, STRING)
      if (tag === PLAIN) return decodePlain(from, at + HEAD_BYTES)
      // A copy: views that are deserialized may refer to what they are read from.
      if (tag === SERIALIZED) return deserialize(bodyOf(from, at, bytes))
      if (tag === WHOLE) return wholeOf(from.bytes[at + 1] as number, bodyOf(from, at, bytes))
    } catch (error) {
      throw undecodable(error)
    }
    const simple = tag - FIRST_SIMPLE
    if (simple >= SIMPLE.length) throw damaged()
    return SIMPLE[simple]
  },
  isBody: false,
  varies: true,
  receive(head, body: Bytes) {
    const tag = head.bytes[0] as number
    const own = new Uint8Array(body.buffer)
    try {
      if (tag < SERIALIZED) return receiveString(head, body, STRING)
      return tag === WHOLE ? wholeOf(head.bytes[1] as number, own) : deserialize(own)
    } catch (error) {
      throw undecodable(error)
    }
  },
}
