/**
 * One record as this thread reads and writes it. All objects that this thread has of it share this.
 */
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
 * A record passes through this thread's staging area. One that is too long for that passes through
 * the thread's buffer, or a buffer of its own.
 */
export class RecordVersions extends Versions implements FieldsTarget {
  readonly fields: FieldsCodec
  readonly #count: number
  readonly #codec: MessageCodec<unknown>
  /** The number of the staging area. Negative if the record does not pass through one. */
  readonly #area: number = -1
  readonly #space: Space
  readonly #body: Uint8Array | undefined
  /** The number of this thread's writes. */
  written = 0
  /** The version that this thread's last write made. */
  made = 0
  /** The number of fields that the last write was given. */
  given = 0
  /** The version that the current write comes after, as the core returned it, or ANY. */
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

  /** Copies the newest content into the space. Returns its version as the core does. */
  #load(): number {
    const told = this.#area >= 0 ? this.coreRead(this.#area) : RECORD.read(this.native, this.#body)
    return told >= 0 ? told : checkTold(told)
  }

  /**
   * Makes the content of the space the version after that one. Returns the new version as the core
   * does, or busy, negated.
   */
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

  /** Returns false if `after` is a version that is not current, or no field is given. */
  write(given: unknown, after: number): boolean {
    // A write that was stopped may have left one.
    this.#patience = undefined
    return this.fields.write(given, this, after)
  }

  /** Called by the codec of fields before it writes them. `after` is a version, or ANY. */
  begin(count: number, after: number): Space | undefined {
    this.given = count
    if (count === 0) return undefined
    if (after === ANY && count === this.#count) {
      // If all fields are given there is nothing to merge.
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
    // No other thread has the memory yet, so this does not count as a write.
    const { first } = openVersions(view, false, type, () => true)
    return spaceOver(view.buffer, first + native.lengthBytes, type.bytes)
  }
  // The initial values are checked before there is any memory.
  fieldsCodec(type, 'initial').write(initial === undefined ? {} : initial, { begin, end: () => true }, ANY)
  return memory as unknown as WebAssembly.Memory
}
