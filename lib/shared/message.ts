import type { InspectOptions } from 'node:util'
import { checkHandle, Existing, type Handle, makeHandle } from '../addon/handle.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { checkElementType, type ElementType, nativeFieldsOf } from '../codec/element-type.js'
import { type PostedType, postedType, postedTypeOf } from '../codec/posted-type.js'
import { invalidType, outOfRange } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { checkObject, checkTimeout, patience, type WaitOptions } from '../wait/options.js'
import { VersionIterator, type Versioned } from './iterator.js'
import { fixedBytesOf, headBytesOf, type MessageVersions, openMessage } from './message-versions.js'
import { allocateVersions, type Versions } from './versions.js'

declare const carries: unique symbol

/**
 * A message's handle, which `workerData` and `postMessage` take to another thread of this process,
 * for `Message.from()`. It tells the compiler what the message's values are.
 */
export interface MessageHandle<T = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](value: In): T
  /** Tells a message's handle from those of other objects. */
  readonly threadsafe: 'message'
}

/** Options of a message. */
export interface MessageOptions<Type = ElementType> {
  /** What it carries. Default: 'any'. */
  type?: Type | undefined
  /**
   * The longest encoded value, in bytes, for the types without a fixed size: 'any', 'string' and
   * 'bytes'. Default: 65536.
   */
  maxBytes?: number | undefined
}

const DEFAULT_MAX_BYTES = 65536

function checkMaxBytes(maxBytes: unknown): number {
  if (typeof maxBytes !== 'number') throw invalidType('options.maxBytes', 'a whole number of bytes', maxBytes)
  if (!Number.isInteger(maxBytes) || maxBytes < 1) throw outOfRange('options.maxBytes', 'a whole number of bytes, at least 1', maxBytes)
  return maxBytes
}

function create(options: MessageOptions | undefined): { readonly memory: WebAssembly.Memory; readonly type: ElementType } {
  checkObject('options', options)
  const { type: givenType = 'any', maxBytes: givenBytes } = options ?? {}
  const type = checkElementType(givenType)
  const maxBytes = givenBytes === undefined ? undefined : checkMaxBytes(givenBytes)
  const fixed = fixedBytesOf(type)
  if (fixed !== undefined && maxBytes !== undefined && maxBytes < fixed)
    throw outOfRange('options.maxBytes', `at least ${fixed}, the bytes of each value of that type, or left out`, maxBytes)
  const bytes = fixed ?? headBytesOf(type) + (maxBytes ?? DEFAULT_MAX_BYTES)
  const memory = allocateVersions(true, type, bytes)
  if (!memory) throw outOfRange(fixed === undefined ? 'options.maxBytes' : 'options.type', 'of at most some 250 MB', bytes)
  return { memory, type }
}

type MessageExisting = Existing & { readonly handle: Handle & { readonly type: PostedType } }

/** @internal This thread's side of the message, which its objects do not show. */
export let versionsOfMessage: (message: Message<unknown, unknown>) => Versions
/** @internal */
export let livenessOfMessage: (message: Message<unknown, unknown>) => Liveness

/** An event with a payload. See `MessageConstructor`. */
export class Message<T = unknown, In = T> {
  /** Structured-cloneable. The other thread makes its own message object from it, with `from()`. */
  readonly handle: MessageHandle<T, In>
  readonly #versions: MessageVersions
  readonly #liveness = new Liveness()

  static {
    versionsOfMessage = (message) => message.#versions
    livenessOfMessage = (message) => message.#liveness
  }

  /** See `MessageConstructor`. */
  constructor(options?: MessageOptions)
  /** @internal from() passes the handle of a message that exists. */
  constructor(existing: Existing)
  constructor(given?: MessageOptions | Existing) {
    if (given instanceof Existing) {
      const { handle } = given as MessageExisting
      this.#versions = openMessage(handle.memory, postedTypeOf(handle.type, 'Message'))
      this.handle = handle as unknown as MessageHandle<T, In>
    } else {
      const { memory, type } = create(given)
      this.#versions = openMessage(memory, type)
      this.handle = makeHandle('message', memory, { type: postedType(type) }) as unknown as MessageHandle<T, In>
    }
  }

  /** See `MessageConstructor`. */
  static from(handle: unknown): Message {
    const { memory, type } = checkHandle('message', handle, Message)
    return new Message(new Existing(makeHandle('message', memory, { type: postedType(postedTypeOf(type, 'Message')) })))
  }

  /**
   * The message as native code takes it, for `threadsafe_message_open()` of `threadsafe.h` in this
   * thread. See `ThreadSafeQueue.native`.
   */
  get native(): NativeHandle<'message'> {
    needDoorbell()
    return nativeHandle(this.#versions.view, nativeFieldsOf(this.#versions.type))
  }

  /**
   * Sets the message to that value and wakes all who wait at this moment, in all threads, even if
   * `clear()` follows at once. The latest value counts.
   *
   * Throws `TypeError` for a value that is not of the message's type, `DataCloneError` for one that
   * can't be carried, and `RangeError` `ERR_ITEM_TOO_LARGE` for one longer than `maxBytes`. Then
   * nothing has changed.
   *
   * @example
   * progress.set({ done: 3, of: 10 })
   */
  set(value?: In): void {
    this.#versions.set(value)
  }

  /**
   * Resets the message: calls that wait from now on wait until it is set again. The value stays.
   */
  clear(): void {
    this.#versions.core.clear()
  }

  /** Whether the message is set. */
  isSet(): boolean {
    return this.#versions.isSet()
  }

  /**
   * Returns the value it was last set to, even if it was cleared since. Undefined before the first
   * set.
   */
  value(): T | undefined {
    return this.#versions.value() as T | undefined
  }

  /**
   * Resolves to the value when the message is set: at once if it already is. Rejects with
   * `TimeoutError`, or the signal's `reason`.
   *
   * @example
   * const result = await progress.wait({ timeout: 1000 })
   */
  wait(options?: WaitOptions): Promise<T> {
    try {
      const limits = patience(options)
      const versions = this.#versions
      if (versions.isSet()) return Promise.resolve(versions.value() as T)
      return versions.wait(versions.want(), limits, this.#liveness, () => versions.value()) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Blocks this thread until the message is set, and returns its value. Throws `TimeoutError` when
   * `timeout` milliseconds have passed; 0 looks once.
   *
   * @example
   * const result = progress.waitSync({ timeout: 1000 })
   */
  waitSync(options?: { timeout?: number | undefined }): T {
    checkObject('options', options)
    const timeout = checkTimeout(options?.timeout)
    this.#versions.waitBlocking(this.#versions.want(), timeout, [this])
    return this.#versions.value() as T
  }

  /**
   * Gives the value that is set, if one is, and then each later one. Where several came meanwhile,
   * gives the latest. None is given twice.
   *
   * @example
   * for await (const { done, of } of progress) show(done / of)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const versions = this.#versions
    return new VersionIterator(versions, versions.want(), this.#liveness, () => versions.versioned() as Versioned<T>)
  }

  /** Pending calls of this object keep the process alive. This is the default. */
  ref(): this {
    this.#liveness.reference(true)
    return this
  }

  /** Pending calls of this object do not keep the process alive. */
  unref(): this {
    this.#liveness.reference(false)
    return this
  }

  /** @internal `Message { set: true, value: { done: 3, of: 10 } }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'Message', () => ({ set: this.isSet(), value: this.value() }), depth, options)
  }
}
