/**
 * The classes of records and messages as a compiler sees them; see lib/queue/typed-queue.ts for why
 * these are interfaces.
 */
import type { ElementType, ItemOf, PutItemOf, TypeOf } from '../codec/element-type.js'
import type { FieldTypes, PutRecordOf, RecordOf, RecordType, RecordTypeOf } from '../codec/record-type.js'
import { Message as MessageObject, type MessageHandle, type MessageOptions } from './message.js'
import { type RecordHandle, SharedRecord as RecordObject } from './record.js'

/** What is known, or else what is usual. */
type Known<Type, Usual> = unknown extends Type ? Usual : Type

/**
 * A record in memory that any number of contexts read and write: event loops, workers, native
 * threads and signal handlers. A read gives all fields from the same moment, and never waits for a
 * writer, even one that was interrupted in the middle; writes of different fields are merged.
 *
 * `T` is what it gives, `In` what it takes; the type that `record()` made says both.
 *
 * @example
 * const position = new SharedRecord(record({ x: 'float64', y: 'float64' }))
 * new Worker(file, { workerData: position.handle }) // there: SharedRecord.from<{ x: number, y: number }>(workerData)
 * position.write({ x: 1.5, y: 2.5 })
 * const { x, y } = position.read()
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it has a name of its own, which the declarations of a user's code can refer to.
export interface SharedRecord<T = unknown, In = T> extends RecordObject<T, In> {}

/** The class `SharedRecord`: what makes records. */
export interface SharedRecordConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof RecordObject)['prototype']

  /**
   * Creates a record of that type. Fields that `initial` does not name are 0, `0n` or false.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for a type that `record()` did not
   * make, and for a value that is not of its field's type.
   *
   * @example
   * const position = new SharedRecord(record({ x: 'float64', y: 'float64' }), { x: 1 })
   */
  // Two type parameters or more, so that the other one is meant by one.
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
   * Opens the record of that handle, in any thread of the process. The handle says of what type it
   * is; where that got lost, as in `workerData`, say so: `SharedRecord.from<{ x: number }>(workerData)`.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no record's handle, `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   *
   * @example
   * const position = SharedRecord.from<{ x: number; y: number }>(workerData)
   */
  from<T, In>(handle: RecordHandle<T, In>): SharedRecord<T, Known<In, T>>
  /**
   * Opens the record of that handle, whose values are what you say.
   *
   * @example
   * const position = SharedRecord.from<{ x: number; y: number }>(workerData)
   */
  from<T>(handle: RecordHandle<T>): SharedRecord<T>
}

export const SharedRecord = RecordObject as unknown as SharedRecordConstructor

/** Options that say the type. */
export interface TypedMessageOptions<Type> extends MessageOptions<Type> {
  /** What the message carries. */
  type: Type
}

/**
 * An event with a payload: set or not, with the value that it was last set to. Any number of waiters
 * in any mix of threads; the latest value counts, so unlike a queue it keeps no older ones.
 *
 * `T` is what it gives, `In` what it takes. The option `type` says both; name `T` yourself where
 * there is no `type` that does: `new Message<Progress>()`.
 *
 * @example
 * const progress = new Message<{ done: number; of: number }>()
 * new Worker(file, { workerData: progress.handle }) // there: Message.from(workerData).set({ done: 3, of: 10 })
 * const { done, of } = await progress.wait({ timeout: 1000 })
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- as above.
export interface Message<T = unknown, In = T> extends MessageObject<T, In> {}

/** The class `Message`: what makes messages. */
export interface MessageConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof MessageObject)['prototype']

  /**
   * Creates a message of that `type`, which says what TypeScript takes and gives.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not exist,
   * `RangeError` `ERR_OUT_OF_RANGE` for a `maxBytes` that can't be.
   *
   * @example
   * const temperature = new Message({ type: 'float64' }) // Message<number>
   */
  // Three type parameters, so that the other one is meant by one.
  new <Type extends ElementType, T extends ItemOf<Type>, In extends PutItemOf<Type>>(options: TypedMessageOptions<Type>): Message<T, In>

  /**
   * Creates a message whose values the program has named.
   *
   * @example
   * const progress = new Message<{ done: number; of: number }>({ maxBytes: 1024 })
   */
  new <T = unknown>(options?: MessageOptions<'any' | TypeOf<NoInfer<T>>>): Message<T>

  /**
   * Opens the message of that handle, in any thread of the process. The handle says of what type it
   * is; where that got lost, as in `workerData`, say so: `Message.from<number>(workerData)`.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no message's handle, `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   *
   * @example
   * const temperature = Message.from<number>(workerData)
   */
  from<T, In>(handle: MessageHandle<T, In>): Message<T, Known<In, T>>
  /**
   * Opens the message of that handle, whose values are what you say.
   *
   * @example
   * const temperature = Message.from<number>(workerData)
   */
  from<T>(handle: MessageHandle<T>): Message<T>
}

export const Message = MessageObject as unknown as MessageConstructor
