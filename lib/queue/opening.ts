/** How a queue is created, how its handle travels, and how a thread opens it. */
import { checkHandle, type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { allocate, bytesOf, OpenObjects } from '../addon/memory.js'
import { native } from '../addon/native.js'
import { checkElementType, type ElementType, isSameType, itemBytesOf, typeCode } from '../codec/element-type.js'
import { type PostedType, postedType, postedTypeOf } from '../codec/posted-type.js'
import { invalidType, invalidValue, outOfRange } from '../errors.js'
import { checkObject } from '../wait/options.js'
import { Channel } from './channel.js'
import type { QueueOptions } from './types.js'

const DEFAULT_ITEM_BYTES = 64

type PostedHandle = Handle & { readonly type: PostedType; readonly name: string }

export function posted({ memory, type, name }: Existing): PostedHandle {
  return makeHandle('queue', memory, { type: postedType(type), name })
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
  // This thread may have opened it before, as what it really is.
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
 * Describes a queue that exists already, from its handle. As the constructor's first argument it
 * says to open that queue. Nobody outside the package can make one.
 */
export class Existing {
  constructor(
    readonly memory: WebAssembly.Memory,
    readonly type: ElementType,
    readonly name: string,
  ) {}
}

/** Reads a handle. Throws `TypeError` for anything that is not a queue's handle. */
export function existing(handle: unknown, of: object): Existing {
  const { memory, type, name } = checkHandle('queue', handle, of as never)
  return new Existing(memory, postedTypeOf(type, 'ThreadSafeQueue'), checkName('handle.name', name === undefined ? '' : name))
}
