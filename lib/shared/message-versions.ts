/**
 * One message as this thread reads and sets it. All objects that this thread has of it share this.
 */
import { OpenObjects } from '../addon/memory.js'
import { native, type OpenedRecord } from '../addon/native.js'
import { type Bytes, freshBytes, scratch } from '../addon/space.js'
import { type ElementType, itemBytesOf } from '../codec/element-type.js'
import { OneHand } from '../codec/hand.js'
import { type MessageCodec, messageCodec } from '../codec/message.js'
import { SCALARS, type ScalarType } from '../codec/scalar.js'
import { singleCodec } from '../codec/single.js'
import { damaged, withCode } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import type { Versioned } from './iterator.js'
import { ANY, checkSameType, checkTold, FENCED, openVersions, versionIn, Versions, WritePatience } from './versions.js'

const { record: RECORD, status: STATUS } = native

function isSingle(type: ElementType): type is ScalarType {
  return typeof type === 'string' && Object.hasOwn(SCALARS, type)
}

function codecOf(type: ElementType): MessageCodec<unknown> {
  return isSingle(type) ? singleCodec(type) : (messageCodec(type, 'value') as MessageCodec<unknown>)
}

/** Returns the bytes of the head in front of values that have several encodings. */
export function headBytesOf(type: ElementType): number {
  return type === 'any' || type === 'string' ? native.headBytes : 0
}

/** Returns the bytes of the content, undefined for types without a fixed size. */
export function fixedBytesOf(type: ElementType): number | undefined {
  if (isSingle(type)) return SCALARS[type].bytes
  return type === 'any' || type === 'string' || type === 'bytes' ? undefined : itemBytesOf(type, 0)
}

export class MessageVersions extends Versions {
  readonly #codec: MessageCodec<unknown>
  readonly #hand: OneHand
  readonly #headBytes: number
  readonly #fixed: boolean

  constructor(memory: WebAssembly.Memory, address: number, message: OpenedRecord, type: ElementType) {
    super(memory, address, message, type)
    this.#codec = codecOf(type)
    this.#headBytes = headBytesOf(type)
    this.#fixed = fixedBytesOf(type) !== undefined
    this.#hand = new OneHand(this.staged?.content ?? scratch)
  }

  set(value: unknown): void {
    const hand = this.#hand
    this.#codec.encode(value, hand)
    try {
      this.#setInHand(hand.end + hand.bodyBytes)
    } finally {
      hand.drop()
    }
  }

  #setInHand(bytes: number): void {
    if (bytes > this.bytes) throw this.#tooLarge(bytes)
    if (this.#trySet(bytes) !== -STATUS.busy) return
    const patience = new WritePatience()
    do patience.pause(this.version())
    while (this.#trySet(bytes) === -STATUS.busy)
  }

  /** Sets the message to the value in the hand. */
  #trySet(bytes: number): number {
    const { space, body } = this.#hand
    const { staged } = this
    const isStaged = staged !== undefined && space === staged.content
    return checkTold(isStaged ? this.coreWrite(staged.area, bytes, ANY, FENCED) : RECORD.write(this.native, bytes, ANY, body))
  }

  #tooLarge(bytes: number): Error {
    const most = this.bytes - this.#headBytes
    const own = bytes - this.#headBytes
    return withCode(
      new RangeError(`The value takes ${own} bytes, and the message holds at most ${most}. Create it with a maxBytes of ${own} or more`),
      'ERR_ITEM_TOO_LARGE',
    )
  }

  value(): unknown {
    return this.versioned().value
  }

  versioned(): Versioned<unknown> {
    const { staged } = this
    if (!staged) return this.#readLong()
    const told = checkTold(this.coreRead(staged.area))
    if (told === -STATUS.tooSmall) return this.#readLong()
    const version = versionIn(told)
    // Before the first set there is no value.
    const value = version === 0 ? undefined : this.#decode(staged.length.view.getUint32(0, true))
    return { value, version }
  }

  #decode(length: number): unknown {
    const { staged, bytes } = this
    if (this.#fixed && length !== bytes) throw damaged('message')
    return this.#codec.decode((staged as NonNullable<typeof staged>).content, 0, length)
  }

  /** Reads through the thread's buffer. A longer value goes into a buffer of its own. */
  #readLong(): Versioned<unknown> {
    const codec = this.#codec
    let body: Bytes | undefined
    for (;;) {
      const told = checkTold(RECORD.read(this.native, body))
      const length = RECORD.length(this.native)
      if (told === -STATUS.tooSmall) {
        body = freshBytes(length - this.#headBytes)
        continue
      }
      const version = versionIn(told)
      if (version === 0) return { value: undefined, version }
      if (this.#fixed && length !== this.bytes) throw damaged('message')
      if (!body) return { value: codec.decode(scratch, 0, length), version }
      return { value: this.#receive(body, length - this.#headBytes), version }
    }
  }

  /**
   * Decodes a value that was read with that body. It may be shorter than the body: another was set
   * meanwhile.
   */
  #receive(body: Bytes, length: number): unknown {
    const codec = this.#codec
    if (length < 0) throw damaged('message')
    if (!codec.isBody && this.#headBytes + length <= scratch.size) {
      copyInto(scratch.bytes, new Uint8Array(body.buffer, body.byteOffset, length), this.#headBytes)
      return codec.decode(scratch, 0, this.#headBytes + length)
    }
    const whole = length === body.length ? body : freshBytes(length)
    if (whole !== body) copyInto(whole, new Uint8Array(body.buffer, body.byteOffset, length))
    return codec.receive(scratch, whole, length)
  }
}

const channels = new OpenObjects<MessageVersions>()

function fits(type: ElementType, bytes: number): boolean {
  const fixed = fixedBytesOf(type)
  return fixed === undefined ? bytes > headBytesOf(type) : bytes === fixed
}

export function openMessage(memory: WebAssembly.Memory, type: ElementType): MessageVersions {
  const channel = channels.get(memory, (view, address) => {
    return new MessageVersions(
      memory,
      address,
      openVersions(view, true, type, (bytes) => fits(type, bytes)),
      type,
    )
  })
  checkSameType(channel, type)
  return channel
}
