/**
 * The classes of records and messages as users see them. lib/queue/typed-queue.ts says why they are
 * interfaces.
 */
import type { ElementType, ItemOf, PutItemOf, TypeOf } from '../codec/element-type.js'
import type { FieldTypes, PutRecordOf, RecordOf, RecordType, RecordTypeOf } from '../codec/record-type.js'
import { Message as MessageObject, type MessageHandle, type MessageOptions } from './message.js'
import { type RecordHandle, SharedRecord as RecordObject } from './record.js'

/** `Type` if it is known, else `Usual`. */
type Known<Type, Usual> = unknown extends Type ? Usual : Type

/**
 * A record in memory that any number of contexts read and write: event loops, workers, native
 * threads and signal handlers. A read gives all fields from the same moment, and never waits for a
 * writer, even one that was interrupted in the middle; writes of different fields are merged.
 *
 * `T` is the type of values read, `In` of values written. The result of `record()` decides both.
 *
 * @example
 * const position = new SharedRecord(record({ x: 'float64', y: 'float64' }))
 * new Worker(file, { workerData: position.handle }) // there: SharedRecord.from<{ x: number, y: number }>(workerData)
 * position.write({ x: 1.5, y: 2.5 })
 * const { x, y } = position.read()
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it has a name of its own, which the declarations of a user's code can refer to.
export interface SharedRecord<T = unknown, In = T> extends RecordObject<T, In> {}

/** The class `SharedRecord`. */
export interface SharedRecordConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof RecordObject)['prototype']

  /**
   * Creates a record of that type. Fields that `initial` does not name are 0, `0n` or false.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for a type that `record()`
   * did not make, and for a value that is not of its field's type.
   *
   * @example
   * const position = new SharedRecord(record({ x: 'float64', y: 'float64' }), { x: 1 })
   */
  // This has several type parameters, so that naming a single one means the other constructor.
  new <F extends FieldTypes, T extends RecordOf<F>, In extends PutRecordOf<F>>(
    type: RecordType<F>,
    initial?: Partial<NoInfer<In>>,
  ): SharedRecord<T, In>

  /**
   * Creates a record of that type, whose values the program has named.
   *
   * @example
   * const position = new SharedRecord<{ x: number }>(record({ x: 'float64' }))
   */
  new <T extends object>(type: RecordTypeOf<NoInfer<T>>, initial?: Partial<NoInfer<T>>): SharedRecord<T>

  /**
   * Opens the record of that handle, in any thread of the process. The handle carries its type.
   * Name it where TypeScript has lost it, as in `workerData`: `SharedRecord.from<{ x: number
   * }>(workerData)`.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is not a record's handle, and
   * `Error` `ERR_INCOMPATIBLE_HANDLE` for a handle of another version.
   *
   * @example
   * const position = SharedRecord.from<{ x: number; y: number }>(workerData)
   */
  from<T, In>(handle: RecordHandle<T, In>): SharedRecord<T, Known<In, T>>
  /**
   * Opens the record of that handle, whose values have the type that you name.
   *
   * @example
   * const position = SharedRecord.from<{ x: number; y: number }>(workerData)
   */
  from<T>(handle: RecordHandle<T>): SharedRecord<T>
}

export const SharedRecord = RecordObject as unknown as SharedRecordConstructor

/** Options that name the type. */
export interface TypedMessageOptions<Type> extends MessageOptions<Type> {
  /** What the message carries. */
  type: Type
}

/**
 * An event with a payload: set or not, with the value that it was last set to. Any number of
 * waiters in any mix of threads; the latest value counts, so unlike a queue it keeps no older ones.
 *
 * `T` is the type of values read, `In` of values set. The option `type` decides both. Name `T`
 * yourself if there is no such `type`: `new Message<Progress>()`.
 *
 * @example
 * const progress = new Message<{ done: number; of: number }>()
 * new Worker(file, { workerData: progress.handle }) // there: Message.from(workerData).set({ done: 3, of: 10 })
 * const { done, of } = await progress.wait({ timeout: 1000 })
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- as above.
export interface Message<T = unknown, In = T> extends MessageObject<T, In> {}

/** The class `Message`. */
export interface MessageConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof MessageObject)['prototype']

  /**
   * Creates a message of that `type`, which decides what TypeScript takes and gives.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for invalid options, and
   * `RangeError` `ERR_OUT_OF_RANGE` for a `maxBytes` that is too small or too large.
   *
   * @example
   * const temperature = new Message({ type: 'float64' }) // Message<number>
   */
  // This has three type parameters, so that naming a single one means the other constructor.
  new <Type extends ElementType, T extends ItemOf<Type>, In extends PutItemOf<Type>>(options: TypedMessageOptions<Type>): Message<T, In>

  /**
   * Creates a message whose values the program has named.
   *
   * @example
   * const progress = new Message<{ done: number; of: number }>({ maxBytes: 1024 })
   */
  new <T = unknown>(options?: MessageOptions<'any' | TypeOf<NoInfer<T>>>): Message<T>

  /**
   * Opens the message of that handle, in any thread of the process. The handle carries its type.
   * Name it where TypeScript has lost it, as in `workerData`: `Message.from<number>(workerData)`.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is not a message's handle, and
   * `Error` `ERR_INCOMPATIBLE_HANDLE` for a handle of another version.
   *
   * @example
   * const temperature = Message.from<number>(workerData)
   */
  from<T, In>(handle: MessageHandle<T, In>): Message<T, Known<In, T>>
  /**
   * Opens the message of that handle, whose values have the type that you name.
   *
   * @example
   * const temperature = Message.from<number>(workerData)
   */
  from<T>(handle: MessageHandle<T>): Message<T>
}

export const Message = MessageObject as unknown as MessageConstructor
