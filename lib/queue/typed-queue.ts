/**
 * The queue's class as a compiler sees it: TypeScript lets no constructor infer the class's type
 * parameters from an option, but an interface that describes one.
 */
import type { BatchOf, ElementType, ItemOf, NamedBatchOf, PutItemOf, TypeOf, TypeOfBatches } from '../codec/element-type.js'
import type { QueueHandle, QueueOptions } from './types.js'
import { ThreadSafeQueue as Queue } from './queue.js'
import type { NumericType } from '../codec/scalar.js'

/** `Type`, or `Usual` if `Type` is unknown. */
type Known<Type, Usual> = unknown extends Type ? Usual : Type

/** Options that name the type. */
export interface TypedQueueOptions<Type> extends QueueOptions<Type> {
  /** What the queue holds. */
  type: Type
}

/**
 * A queue of fixed capacity between any number of producers and consumers: event loops, blocking
 * workers, native threads and signal handlers. First in, first out for each producer.
 *
 * `T` is the type of items that come out, `Batch` that of several of them together, `In` that of
 * items that go in. The option `type` determines all three: 'float64' makes it a
 * `ThreadSafeQueue<number, Float64Array>`. Name them yourself where no `type` does: `new
 * ThreadSafeQueue<Job>(100)`. A function that takes any queue of numbers takes a
 * `ThreadSafeQueue<number, unknown>`, and one that takes any queue takes a
 * `ThreadSafeQueue<unknown, unknown>`.
 *
 * @example
 * const samples = new ThreadSafeQueue(1000, { type: 'float64' })
 * new Worker(file, { workerData: samples.handle }) // there: ThreadSafeQueue.from<number, Float64Array>(workerData)
 * await samples.put(1.5)
 * for await (const batch of samples.batches(128)) play(batch) // a Float64Array
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it has a name of its own, which the declarations of a user's code can refer to.
export interface ThreadSafeQueue<T = unknown, Batch = T[], In = T> extends Queue<T, Batch, In> {}

/** Creates queues of one numeric `type` whose items the program names. */
interface NumericQueueConstructor<Type extends NumericType> {
  /**
   * Creates a queue that holds `capacity` numbers of that `type`; its batches are the typed array
   * of that name.
   *
   * `RangeError` `ERR_OUT_OF_RANGE` for a capacity that is no whole number from 1 up to what 4 GiB
   * hold; `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not
   * exist.
   *
   * @example
   * const samples = new ThreadSafeQueue<number>(1000, { type: 'float64' })
   * samples.putSync(1.5)
   * samples.getManySync(128) // a Float64Array
   */
  new <T>(capacity: number, options: TypedQueueOptions<Type & TypeOf<NoInfer<T>>>): ThreadSafeQueue<T, NamedBatchOf<T, Type>>
}

/** Creates all other queues whose items the program names. */
interface NamedQueueConstructor {
  /**
   * Creates a queue that holds `capacity` items: a whole number from 1 up to what 4 GiB hold.
   *
   * Name the type of the items where `type` is 'any', the default; elsewhere `type` determines it.
   * Batches are taken to be arrays, even where TypeScript does not know the `type`. A class that
   * extends the queue of numbers, or of a type parameter, names the batches as well: `extends
   * ThreadSafeQueue<number, Float64Array>`, `extends ThreadSafeQueue<T, T[]>`.
   *
   * `RangeError` `ERR_OUT_OF_RANGE` for other capacities and for a name that is too long;
   * `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not exist.
   *
   * @example
   * const jobs = new ThreadSafeQueue<{ id: number }>(100, { name: 'jobs' })
   */
  new <T = unknown>(capacity: number, options?: QueueOptions<'any' | TypeOf<NoInfer<T>>>): ThreadSafeQueue<T>

  /**
   * Creates a queue that holds `capacity` items, with the type of its batches named as well.
   *
   * @example
   * const samples = new ThreadSafeQueue<number, Float64Array>(1000, { type: 'float64' })
   */
  new <T, Batch>(capacity: number, options: TypedQueueOptions<TypeOfBatches<NoInfer<T>, NoInfer<Batch>>>): ThreadSafeQueue<T, Batch>
}

/** The class `ThreadSafeQueue` as a value: its constructors and `from()`. */
// TypeScript takes the first constructor that fits: those declared here, then those of the
// interfaces in their order.
export interface ThreadSafeQueueConstructor
  extends
    NumericQueueConstructor<'int8'>,
    NumericQueueConstructor<'uint8'>,
    NumericQueueConstructor<'int16'>,
    NumericQueueConstructor<'uint16'>,
    NumericQueueConstructor<'int32'>,
    NumericQueueConstructor<'uint32'>,
    NumericQueueConstructor<'bigint64'>,
    NumericQueueConstructor<'biguint64'>,
    NumericQueueConstructor<'float32'>,
    NumericQueueConstructor<'float64'>,
    NamedQueueConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof Queue)['prototype']

  /**
   * Creates a queue that holds `capacity` items of that `type`, which says what TypeScript takes
   * and gives.
   *
   * `RangeError` `ERR_OUT_OF_RANGE` for a capacity that is no whole number from 1 up to what 4 GiB
   * hold; `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not
   * exist.
   *
   * @example
   * const samples = new ThreadSafeQueue(1000, { type: 'float64' }) // ThreadSafeQueue<number, Float64Array>
   * const points = new ThreadSafeQueue(1000, { type: record({ x: 'float64', y: 'float64' }) })
   * points.putSync({ x: 1, y: 2 })
   */
  // These constructors have three type parameters or more, so that one or two always mean the
  // others. Otherwise a subclass would find two constructors that make different things.
  new <Type extends ElementType, T extends ItemOf<Type>, Batch extends BatchOf<Type>, In extends PutItemOf<Type>>(
    capacity: number,
    options: TypedQueueOptions<Type>,
  ): ThreadSafeQueue<T, Batch, In>

  /**
   * Opens the queue of that handle, in any thread of the process. The handle carries the types.
   * Where they got lost, as in `workerData`, name them: `ThreadSafeQueue.from<number,
   * Float64Array>(workerData)`.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no queue's handle, `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   *
   * @example
   * const jobs = ThreadSafeQueue.from<{ id: number }>(workerData)
   */
  from<T, Batch, In>(handle: QueueHandle<T, Batch, In>): ThreadSafeQueue<T, Known<Batch, T[]>, Known<In, T>>
  /**
   * Opens the queue of that handle, with the types that you name.
   *
   * @example
   * const samples = ThreadSafeQueue.from<number, Float64Array>(workerData)
   */
  from<T, Batch = T[]>(handle: QueueHandle<T>): ThreadSafeQueue<T, Batch>
}

export const ThreadSafeQueue: ThreadSafeQueueConstructor = Queue
