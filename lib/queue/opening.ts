/** How a queue is created, how its handle travels, and how a thread opens it. */
import { checkHandle, type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { allocate, bytesOf, OpenObjects } from '../addon/memory.js'
import { native } from '../addon/native.js'
import { checkElementType, type ElementType, isSameType, itemBytesOf, typeCode } from '../codec/element-type.js'
import { type FieldTypes, isRecordType, record, type RecordType } from '../codec/record-type.js'
import type { ArrayTypes, NumericType } from '../codec/scalar.js'
import { invalidType, invalidValue, outOfRange } from '../errors.js'
import { checkObject } from '../wait/options.js'
import { Channel } from './channel.js'

const DEFAULT_ITEM_BYTES = 64

/** What a put that does not wait does when the queue is full. */
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest'

/** Options of `new ThreadSafeQueue()`. */
export interface QueueOptions<Type = ElementType> {
  /** What the queue holds. Default: 'any'. */
  type?: Type | undefined
  /**
   * For 'any', 'string' and 'bytes': the payload bytes that one slot holds; longer items take
   * several slots. Default: 64.
   */
  itemBytes?: number | undefined
  /** What a put that does not wait does when the queue is full. Default: 'reject'. */
  overflow?: Overflow | undefined
  /**
   * What errors and `util.inspect()` call the queue, in every thread: at most 64 UTF-16 units.
   * Default: none.
   */
  name?: string | undefined
}

/**
 * What a batch can be put into: the typed array of the queue's type, or, where it is not known
 * which that is, one of such numbers.
 */
export type IntoOf<T, Batch> = Batch extends ArrayTypes[NumericType]
  ? Batch
  : [T] extends [number]
    ? Exclude<ArrayTypes[NumericType], BigInt64Array | BigUint64Array>
    : [T] extends [bigint]
      ? BigInt64Array | BigUint64Array
      : never

/** An option of calls that get several items. */
export interface IntoOption<Into = ArrayTypes[NumericType]> {
  /** What takes the item, or the items, instead of a new typed array. */
  into?: Into | undefined
}

/** What a single item can be got into: the array that it is. */
export type IntoOneOf<T> = Extract<T, ArrayTypes[NumericType]>

declare const carries: unique symbol

/**
 * What `workerData` and `postMessage` take to another thread of this process, for
 * `ThreadSafeQueue.from()`. It tells the compiler what the queue's items, its batches, and what it
 * takes, are; `QueueHandle<number>` leaves open what the batches are.
 */
export interface QueueHandle<T = unknown, Batch = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](item: In): { item: T; batch: Batch }
}

/** A record type travels as its fields: classes do not survive structured clone. */
type PostedType = Exclude<ElementType, RecordType> | { readonly record: FieldTypes }
type PostedHandle = Handle & { readonly type: PostedType; readonly name: string }

export function posted({ memory, type, name }: Existing): PostedHandle {
  return makeHandle('queue', memory, { type: isRecordType(type) ? { record: type.fields } : type, name })
}

/** The type that a handle says; throws what it is not. */
function typeOf(said: unknown): ElementType {
  try {
    return checkElementType(typeof said === 'object' && said !== null ? record((said as { record: FieldTypes }).record) : said)
  } catch {
    throw invalidType('handle', 'the handle of a ThreadSafeQueue, which has a type', { type: said })
  }
}

const channels = new OpenObjects<Channel>()

/** The longest name, in UTF-16 units. */
const LONGEST_NAME = 64

function checkName(argument: string, name: unknown): string {
  if (typeof name !== 'string') throw invalidType(argument, 'a string', name)
  if (name.length > LONGEST_NAME) throw outOfRange(argument, `a string of at most ${LONGEST_NAME} UTF-16 units`, name)
  return name
}

export function open({ memory, type, name }: Existing): Channel {
  const channel = channels.get(memory, (bytes, address) => {
    const queue = native.openQueue(bytes)
    if (!queue || queue.type !== typeCode(type) || queue.itemBytes !== itemBytesOf(type, queue.itemBytes))
      throw incompatible('its memory holds something else')
    return new Channel(memory, address, queue, type, name)
  })
  // It may have been known, as what it is.
  if (!isSameType(channel.type, type)) throw incompatible('its memory holds something else')
  return channel
}

export function wholeNumber(name: string, value: unknown, most?: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'a whole number', value)
  if (!Number.isInteger(value) || value < 1)
    throw outOfRange(name, most ? `a whole number from 1 up to ${most}` : 'a whole number, at least 1', value)
  return value
}

export function create(capacity: number, options: QueueOptions | undefined): Existing {
  wholeNumber('capacity', capacity, 'what 4 GiB hold')
  checkObject('options', options)
  const { type: givenType = 'any', itemBytes = DEFAULT_ITEM_BYTES, overflow = 'reject', name: givenName = '' } = options ?? {}
  const type = checkElementType(givenType)
  wholeNumber('options.itemBytes', itemBytes, 'what 4 GiB hold')
  if (typeof overflow !== 'string' || !Object.hasOwn(native.overflows, overflow)) {
    throw invalidValue('options.overflow', `one of ${Object.keys(native.overflows).join(', ')}`, overflow)
  }
  const name = checkName('options.name', givenName)
  const slot = itemBytesOf(type, itemBytes)
  if (native.queueMemory(typeCode(type), 1, slot) === 0) throw outOfRange('options.itemBytes', 'at most what 4 GiB hold', itemBytes)
  const bytes = native.queueMemory(typeCode(type), capacity, slot)
  if (bytes === 0) throw outOfRange('capacity', `at most what 4 GiB hold, with ${slot} bytes for each item`, capacity)
  const memory = allocate(bytes)
  native.initQueue(bytesOf(memory), typeCode(type), capacity, slot, native.overflows[overflow] as number)
  return new Existing(memory, type, name)
}

/**
 * A queue that exists, as its handle tells. In the constructor's first argument it marks that:
 * nobody else can make one.
 */
export class Existing {
  constructor(
    readonly memory: WebAssembly.Memory,
    readonly type: ElementType,
    readonly name: string,
  ) {}
}

/** What a handle tells. Throws `TypeError` for anything that is no queue's. */
export function existing(handle: unknown, of: object): Existing {
  const { memory, type, name } = checkHandle('queue', handle, of as never)
  return new Existing(memory, typeOf(type), checkName('handle.name', name === undefined ? '' : name))
}
