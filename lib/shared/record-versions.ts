/** One record as this thread reads and writes it; what objects of the same record share. */
import { bytesOf, OpenObjects } from '../addon/memory.js'
import { native, type OpenedRecord } from '../addon/native.js'
import { freshBytes, scratch, type Space, spaceOver } from '../addon/space.js'
import type { MessageCodec } from '../codec/message.js'
import { fieldsCodec, type FieldsCodec, type FieldsTarget, recordCodec } from '../codec/record.js'
import type { RecordType } from '../codec/record-type.js'
import { outOfRange } from '../errors.js'
import type { Versioned } from './iterator.js'
import { allocateVersions, ANY, checkSameType, checkTold, FENCED, openVersions, versionIn, Versions, WritePatience } from './versions.js'

const { record: RECORD, status: STATUS } = native

/**
 * One record in this thread. Its content is in this thread's staging area; one that is too long for
 * that passes through the thread's buffer, or a buffer of its own.
 */
export class RecordVersions extends Versions implements FieldsTarget {
  readonly fields: FieldsCodec
  readonly #count: number
  readonly #codec: MessageCodec<unknown>
  /** Negative where it does not pass through a staging area. */
  readonly #area: number = -1
  readonly #space: Space
  readonly #body: Uint8Array | undefined
  /** Writes of this thread. */
  written = 0
  /** The version that the last of them made. */
  made = 0
  /** How many fields the last write was given. */
  given = 0
  /** What the present write comes after. */
  #told = ANY
  #patience: WritePatience | undefined

  constructor(memory: WebAssembly.Memory, address: number, record: OpenedRecord, type: RecordType) {
    super(memory, address, record, type)
    this.#codec = recordCodec(type, 'value')
    this.fields = fieldsCodec(type, 'fields')
    this.#count = type.layout.length
    const { staged, bytes } = this
    if (staged && bytes <= staged.content.size) {
      this.#area = staged.area
      this.#space = staged.content
    } else if (bytes <= scratch.size) {
      this.#space = scratch
    } else {
      const own = freshBytes(bytes)
      this.#space = spaceOver(own.buffer, own.byteOffset, bytes)
      this.#body = own
    }
  }

  /** The newest content into its space: the version, as the core tells it. */
  #load(): number {
    const told = this.#area >= 0 ? this.coreRead(this.#area) : RECORD.read(this.native, this.#body)
    return told >= 0 ? told : checkTold(told)
  }

  /** What is in its space as the version after that one: what is told of it, or busy. */
  #store(after: number): number {
    const told =
      this.#area >= 0 ? this.coreWrite(this.#area, this.bytes, after, FENCED) : RECORD.write(this.native, this.bytes, after, this.#body)
    return told >= 0 ? told : checkTold(told)
  }

  value(): unknown {
    this.#load()
    return this.#codec.decode(this.#space, 0, this.bytes)
  }

  versioned(): Versioned<unknown> {
    const told = this.#load()
    return { value: this.#codec.decode(this.#space, 0, this.bytes), version: versionIn(told) }
  }

  /** Returns false where `after` is a version that is not current, or there is no field. */
  write(given: unknown, after: number): boolean {
    // Of a write that was stopped, perhaps.
    this.#patience = undefined
    return this.fields.write(given, this, after)
  }

  /** As a target of fields: `after` is a version, or ANY. */
  begin(count: number, after: number): Space | undefined {
    this.given = count
    if (count === 0) return undefined
    if (after === ANY && count === this.#count) {
      // Where all fields are given there is nothing to merge with.
      this.fields.writeGaps(this.#space)
      this.#told = ANY
    } else {
      this.#told = this.#load()
      if (after !== ANY && versionIn(this.#told) !== after) return undefined
    }
    return this.#space
  }

  end(): boolean {
    const made = this.#store(this.#told)
    if (made === -STATUS.busy) {
      this.#patience ??= new WritePatience()
      this.#patience.pause(this.version())
      return false
    }
    this.written++
    this.made = versionIn(made)
    return true
  }
}

const channels = new OpenObjects<RecordVersions>()

export function openRecord(memory: WebAssembly.Memory, type: RecordType): RecordVersions {
  const channel = channels.get(memory, (view, address) => {
    return new RecordVersions(
      memory,
      address,
      openVersions(view, false, type, (bytes) => bytes === type.bytes),
      type,
    )
  })
  checkSameType(channel, type)
  return channel
}

export function createRecord(type: RecordType, initial: unknown): WebAssembly.Memory {
  let memory: WebAssembly.Memory | undefined
  const begin = (): Space => {
    memory = allocateVersions(false, type, type.bytes)
    if (!memory) throw outOfRange('type', 'a record type of at most some 250 MB', `${type.bytes} bytes`)
    const view = bytesOf(memory)
    // Nobody else has the memory yet, so this is no write.
    const { first } = openVersions(view, false, type, () => true)
    return spaceOver(view.buffer, first + native.lengthBytes, type.bytes)
  }
  // The initial values are checked before there is any memory.
  fieldsCodec(type, 'initial').write(initial === undefined ? {} : initial, { begin, end: () => true }, ANY)
  return memory as unknown as WebAssembly.Memory
}
