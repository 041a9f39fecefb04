/** The queue's class as a compiler sees it: TypeScript lets no constructor infer the class's type parameters from an option, but an interface that describes one. */
import type { BatchOf, ElementType, ItemOf, PutItemOf, TypeOf, TypeOfBatches } from './element-type.js'
import { type QueueHandle, type QueueOptions, ThreadSafeQueue as Queue } from './queue.js'

/** What is known, or else what is usual. */
type Known<Type, Usual> = unknown extends Type ? Usual : Type

/** Options that say the type. */
export interface TypedQueueOptions<Type> extends QueueOptions<Type> {
  /** What the queue holds. */
  type: Type
}

/**
 * A queue of fixed capacity between any number of producers and consumers: event loops, blocking workers, native threads and
 * signal handlers. First in, first out for each producer.
 *
 * `T` is what it gives, `Batch` what several of them come out as, `In` what it takes. The option `type` says all three: 'float64' makes it a
 * `ThreadSafeQueue<number, Float64Array>`. Name them yourself where there is no `type` that does: `new ThreadSafeQueue<Job>(100)`. A function that takes
 * any queue of numbers takes a `ThreadSafeQueue<number, unknown>`, and one that takes any queue a `ThreadSafeQueue<unknown, unknown>`.
 *
 * @example
 * const samples = new ThreadSafeQueue(1000, { type: 'float64' })
 * new Worker(file, { workerData: samples.handle }) // there: ThreadSafeQueue.from<number, Float64Array>(workerData)
 * await samples.put(1.5)
 * for await (const batch of samples.batches(128)) play(batch) // a Float64Array
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it has a name of its own, which the declarations of a user's code can refer to.
export interface ThreadSafeQueue<T = unknown, Batch = T[], In = T> extends Queue<T, Batch, In> {}

/** The class `ThreadSafeQueue`: what makes queues. */
export interface ThreadSafeQueueConstructor {
  /** For `instanceof`. */
  readonly prototype: (typeof Queue)['prototype']

  /**
   * Creates a queue that holds `capacity` items of that `type`, which says what TypeScript takes and gives.
   *
   * `RangeError` `ERR_OUT_OF_RANGE` for a capacity that is no whole number from 1 up to what 4 GiB hold; `TypeError` `ERR_INVALID_ARG_TYPE` or
   * `ERR_INVALID_ARG_VALUE` for options that do not exist.
   *
   * @example
   * const samples = new ThreadSafeQueue(1000, { type: 'float64' }) // ThreadSafeQueue<number, Float64Array>
   * const points = new ThreadSafeQueue(1000, { type: record({ x: 'float64', y: 'float64' }) })
   * points.putSync({ x: 1, y: 2 })
   */
  // Three type parameters or more, so that none of the others is meant by one or two: a subclass would find two constructors that make different things.
  new <Type extends ElementType, T extends ItemOf<Type>, Batch extends BatchOf<Type>, In extends PutItemOf<Type>>(
    capacity: number,
    options: TypedQueueOptions<Type>,
  ): ThreadSafeQueue<T, Batch, In>

  /**
   * Creates a queue that holds `capacity` items: a whole number from 1 up to what 4 GiB hold.
   *
   * Name the type of the items where `type` is 'any', as it is when left out. With another `type` leave it out: batches would be taken to be arrays, where those
   * of numbers are typed arrays. `RangeError` `ERR_OUT_OF_RANGE` for other capacities and for
   * a name that is too long; `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not exist.
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

  /**
   * Opens the queue of that handle, in any thread of the process. The handle says of what type it is; where that got lost, as in `workerData`, say
   * so: `ThreadSafeQueue.from<number, Float64Array>(workerData)`.
   *
   * `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no queue's handle, `Error` `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   *
   * @example
   * const jobs = ThreadSafeQueue.from<{ id: number }>(workerData)
   */
  from<T, Batch, In>(handle: QueueHandle<T, Batch, In>): ThreadSafeQueue<T, Known<Batch, T[]>, Known<In, T>>
  /**
   * Opens the queue of that handle, whose items are what you say.
   *
   * @example
   * const samples = ThreadSafeQueue.from<number, Float64Array>(workerData)
   */
  from<T, Batch = T[]>(handle: QueueHandle<T>): ThreadSafeQueue<T, Batch>
}

export const ThreadSafeQueue: ThreadSafeQueueConstructor = Queue
