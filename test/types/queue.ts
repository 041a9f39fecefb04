/** `type` decides what a queue takes and gives. */
import { type BatchOf, type ElementType, type ItemOf, type QueueHandle, type QueueOptions, record, ThreadSafeQueue } from 'threadsafe'
import { workerData } from 'node:worker_threads'
import { same } from './same.js'

interface Job {
  id: number
  text: string
}

// Numbers.
const floats = new ThreadSafeQueue(4, { type: 'float64' })
same<typeof floats, ThreadSafeQueue<number, Float64Array>>(true)
same<ReturnType<typeof floats.getSync>, number>(true)
same<ReturnType<typeof floats.tryGet>, number | undefined>(true)
same<ReturnType<typeof floats.get>, Promise<number>>(true)
same<ReturnType<typeof floats.peek>, number | undefined>(true)
same<ReturnType<typeof floats.getManySync>, Float64Array>(true)
same<ReturnType<typeof floats.getMany>, Promise<Float64Array>>(true)
floats.putSync(1)
floats.putManySync(new Float64Array(2))
floats.putManySync([1, 2])
floats.getManySync(2, { block: true, into: new Float64Array(2) })
// @ts-expect-error text is no number
floats.putSync('1')
// @ts-expect-error neither is a bigint
floats.tryPut(1n)
// @ts-expect-error nor is a text of a batch
void floats.putMany(['1'])
// @ts-expect-error another typed array
floats.getManySync(2, { into: new Float32Array(2) })
// @ts-expect-error it is a typed array
floats.getManySync(2).push(1)
floats.taskDone(2)
same<ReturnType<typeof floats.join>, Promise<void>>(true)
void floats.join({ timeout: 1, signal: AbortSignal.timeout(1) })
void floats.forEach((item) => same<typeof item, number>(true), { signal: AbortSignal.timeout(1) })
void floats.forEach(async (item) => {
  await floats.put(item)
})
// @ts-expect-error its items are numbers
void floats.forEach((item: string) => item)
// @ts-expect-error there is no deadline
void floats.forEach(() => undefined, { timeout: 1 })
for await (const item of floats) same<typeof item, number>(true)
for await (const batch of floats.batches(2)) same<typeof batch, Float64Array>(true)

same<ReturnType<ThreadSafeQueue<bigint, BigInt64Array>['getManySync']>, BigInt64Array>(true)
const bigints = new ThreadSafeQueue(4, { type: 'bigint64' })
same<typeof bigints, ThreadSafeQueue<bigint, BigInt64Array>>(true)
// @ts-expect-error a number is no bigint
bigints.putSync(1)
same<BatchOf<'int8'>, Int8Array>(true)
same<BatchOf<'uint8'>, Uint8Array>(true)
same<BatchOf<'int16'>, Int16Array>(true)
same<BatchOf<'uint16'>, Uint16Array>(true)
same<BatchOf<'int32'>, Int32Array>(true)
same<BatchOf<'uint32'>, Uint32Array>(true)
same<BatchOf<'float32'>, Float32Array>(true)
same<BatchOf<'biguint64'>, BigUint64Array>(true)
same<ItemOf<'uint8' | 'bigint64'>, number | bigint>(true)

// Strings, booleans, bytes.
const texts = new ThreadSafeQueue(4, { type: 'string' })
same<typeof texts, ThreadSafeQueue<string>>(true)
// @ts-expect-error a number is no text
texts.putSync(1)
// @ts-expect-error only numbers go into a typed array
texts.getManySync(1, { into: new Uint8Array(1) })
const flags = new ThreadSafeQueue(4, { type: 'boolean' })
same<typeof flags, ThreadSafeQueue<boolean>>(true)
same<ReturnType<typeof flags.getManySync>, boolean[]>(true)
const bytes = new ThreadSafeQueue(4, { type: 'bytes' })
same<ReturnType<typeof bytes.getSync>, Uint8Array>(true)
same<ReturnType<typeof bytes.getManySync>, Uint8Array[]>(true)
bytes.putSync(Buffer.from('x'))
bytes.putSync(new ArrayBuffer(1))
bytes.putManySync([new DataView(new ArrayBuffer(1)), new Float64Array(1)])
// @ts-expect-error text is no bytes
bytes.putSync('x')
bytes satisfies ThreadSafeQueue<Uint8Array>

// Arrays of fixed length.
const blocks = new ThreadSafeQueue(4, { type: 'float32[128]' })
same<typeof blocks, ThreadSafeQueue<Float32Array, Float32Array[], Iterable<number>>>(true)
same<ReturnType<typeof blocks.getManySync>, Float32Array[]>(true)
blocks.putSync([1, 2])
blocks.putSync(new Float64Array(128))
blocks.getSync({ into: new Float32Array(128), timeout: 10 })
// @ts-expect-error another typed array
blocks.tryGet({ into: new Float64Array(128) })
// @ts-expect-error text is no number
blocks.putSync(['1'])
const wide = new ThreadSafeQueue(4, { type: 'biguint64[2]' })
same<ReturnType<typeof wide.getSync>, BigUint64Array>(true)
// @ts-expect-error numbers, where it takes bigints
wide.putSync([1, 2])
const keys = new ThreadSafeQueue(4, { type: 'bytes[16]' })
same<ReturnType<typeof keys.getSync>, Uint8Array>(true)
keys.putSync(new ArrayBuffer(16))
// @ts-expect-error no array of booleans
new ThreadSafeQueue(4, { type: 'boolean[3]' })
same<ReturnType<typeof ThreadSafeQueue.from<Float32Array, Float32Array[], Iterable<number>>>, typeof blocks>(true)
bytes.getSync({ into: new Uint8Array(3) })
// @ts-expect-error a number goes into nothing
new ThreadSafeQueue(4, { type: 'float64' }).getSync({ into: new Float64Array(1) })

// Records.
const points = new ThreadSafeQueue(4, { type: record({ x: 'float64', t: 'biguint64', on: 'boolean' }) })
same<typeof points, ThreadSafeQueue<{ x: number; t: bigint; on: boolean }>>(true)
points.putSync({ x: 1, t: 2n, on: true })
// @ts-expect-error a field is missing
points.putSync({ x: 1, t: 2n })
// @ts-expect-error a field is of another type
points.putSync({ x: '1', t: 2n, on: true })
const frames = new ThreadSafeQueue(4, { type: record({ samples: 'float32[2]', counts: 'bigint64[2]', id: 'bytes[4]' }) })
same<ReturnType<typeof frames.getSync>, { samples: Float32Array; counts: BigInt64Array; id: Uint8Array }>(true)
frames.putSync({ samples: [1, 2], counts: [1n, 2n], id: new ArrayBuffer(4) })
frames.putSync({ samples: new Float64Array(2), counts: new Set([1n, 2n]), id: Buffer.alloc(4) })
// @ts-expect-error numbers, where it takes bigints
frames.putSync({ samples: [1, 2], counts: [1, 2], id: new ArrayBuffer(4) })
// @ts-expect-error no such field type
record({ x: 'double' })

// Any value.
const anything = new ThreadSafeQueue(4)
same<typeof anything, ThreadSafeQueue<unknown>>(true)
same<ReturnType<typeof anything.getSync>, unknown>(true)
anything.putSync({ any: 'thing' })
same<ReturnType<ThreadSafeQueue<Job>['getManySync']>, Job[]>(true)
const jobs = new ThreadSafeQueue<Job>(4)
same<typeof jobs, ThreadSafeQueue<Job>>(true)
same<ReturnType<typeof jobs.getManySync>, Job[]>(true)
new ThreadSafeQueue<Job>(4, { type: 'any', itemBytes: 100, overflow: 'drop-oldest', name: 'jobs' }).putSync({ id: 1, text: '' })
new ThreadSafeQueue<Job>(4, { type: undefined, itemBytes: undefined, overflow: undefined, name: undefined }).putSync({ id: 1, text: '' })
// @ts-expect-error no job
jobs.putSync({ id: 1 })

// A type parameter that agrees with `type`, or does not.
const numbered = new ThreadSafeQueue<number>(1000, { type: 'float64' })
same<typeof numbered, typeof floats>(true)
same<ReturnType<typeof numbered.getManySync>, Float64Array>(true)
numbered.getManySync(2, { into: new Float64Array(2) })
for await (const batch of numbered.batches(2)) same<typeof batch, Float64Array>(true)
same<ReturnType<typeof smallOnes>, ThreadSafeQueue<number, Uint8Array>>(true)
const smallOnes = () => new ThreadSafeQueue<number>(4, { type: 'uint8', name: 'small', overflow: 'drop-oldest' })
const longOnes = new ThreadSafeQueue<bigint>(1000, { type: 'biguint64' })
same<typeof longOnes, ThreadSafeQueue<bigint, BigUint64Array>>(true)
same<ReturnType<ThreadSafeQueue<number>['getManySync']>, number[]>(true)
const anyNumbers = new ThreadSafeQueue<number>(4)
same<typeof anyNumbers, ThreadSafeQueue<number>>(true)
new ThreadSafeQueue<0 | 1>(4, { type: 'uint8' }).getManySync(1) satisfies Uint8Array
// @ts-expect-error its batches are no arrays
numbered satisfies ThreadSafeQueue<number>
new ThreadSafeQueue<'on' | 'off'>(1000, { type: 'string' }).putSync('on')
new ThreadSafeQueue<unknown>(1000, { type: 'string' }).putSync('on')
new ThreadSafeQueue<boolean>(1000, { type: 'boolean' }).putSync(true)
new ThreadSafeQueue<Uint8Array>(1000, { type: 'bytes' }).putSync(new Uint8Array(1))
new ThreadSafeQueue<{ x: number }>(1000, { type: record({ x: 'int8' }) }).putSync({ x: 1 })
same<ReturnType<ThreadSafeQueue<number, Float64Array>['getManySync']>, Float64Array>(true)
const named = new ThreadSafeQueue<number, Float64Array>(1000, { type: 'float64' })
same<typeof named, typeof floats>(true)
// @ts-expect-error float64 is no string
new ThreadSafeQueue<string>(4, { type: 'float64' })
// @ts-expect-error float64 is no bigint
new ThreadSafeQueue<bigint>(4, { type: 'float64' })
// @ts-expect-error string is no number
new ThreadSafeQueue<number>(4, { type: 'string' })
// @ts-expect-error bytes are no job
new ThreadSafeQueue<Job>(4, { type: 'bytes' })
// @ts-expect-error a field of another type
new ThreadSafeQueue<{ x: string }>(4, { type: record({ x: 'int8' }) })
// @ts-expect-error a field is missing
new ThreadSafeQueue<{ x: number; y: number }>(4, { type: record({ x: 'int8' }) })
// @ts-expect-error a field too many
new ThreadSafeQueue<{ x: number }>(4, { type: record({ x: 'int8', y: 'int8' }) })
// @ts-expect-error another typed array
new ThreadSafeQueue<number, Float32Array>(4, { type: 'float64' })
// @ts-expect-error batches are typed arrays
new ThreadSafeQueue<number, number[]>(4, { type: 'float64' })
// @ts-expect-error batches are arrays
new ThreadSafeQueue<number, Float64Array>(4, { type: 'any' })
// @ts-expect-error no such type
new ThreadSafeQueue(4, { type: 'number' })
// @ts-expect-error a type of objects is made by record()
new ThreadSafeQueue(4, { type: { x: 'float64' } })
// @ts-expect-error no such policy
new ThreadSafeQueue(4, { overflow: 'block' })
// @ts-expect-error a name is a string
new ThreadSafeQueue(4, { name: 1 })
// @ts-expect-error what it gives is no number
const wrong: ThreadSafeQueue<number> = new ThreadSafeQueue(4, { type: 'string' })
void wrong

// A type that is not known before.
declare const someType: ElementType
declare const someOptions: QueueOptions
same<ReturnType<ReturnType<typeof made>['getSync']>, unknown>(true)
function made() {
  new ThreadSafeQueue(4, someOptions).putSync(1)
  return new ThreadSafeQueue(4, { type: someType })
}
function someNumbers(type: 'int32' | 'float64') {
  return new ThreadSafeQueue(4, { type })
}
same<ReturnType<ReturnType<typeof someNumbers>['getManySync']>, Int32Array | Float64Array>(true)
new ThreadSafeQueue<number>(4, { type: 'int32' as 'int32' | 'float64' }).putSync(1)
// @ts-expect-error it may be another
new ThreadSafeQueue<number>(4, { type: someType })

// Handles carry all of it.
same<typeof floats.handle, QueueHandle<number, Float64Array, number>>(true)
const others = ThreadSafeQueue.from(floats.handle)
same<typeof others, typeof floats>(true)
const otherBytes = ThreadSafeQueue.from(bytes.handle)
same<typeof otherBytes, typeof bytes>(true)
const otherFrames = ThreadSafeQueue.from(frames.handle)
same<typeof otherFrames, typeof frames>(true)
const otherJobs = ThreadSafeQueue.from(jobs.handle)
same<typeof otherJobs, typeof jobs>(true)
jobs.handle satisfies QueueHandle<Job>
floats.handle satisfies QueueHandle<number>
const untyped = ThreadSafeQueue.from(workerData)
same<typeof untyped, ThreadSafeQueue<unknown>>(true)
const posted = ThreadSafeQueue.from<number>(workerData)
same<typeof posted, ThreadSafeQueue<number>>(true)
const postedFloats = ThreadSafeQueue.from<number, Float64Array>(workerData)
same<typeof postedFloats, typeof floats>(true)
const data = workerData as { jobs: QueueHandle<Job>; samples: QueueHandle<number, Float64Array> }
const postedJobs = ThreadSafeQueue.from(data.jobs)
same<typeof postedJobs, ThreadSafeQueue<Job>>(true)
const samples = ThreadSafeQueue.from(data.samples)
same<typeof samples, typeof floats>(true)
ThreadSafeQueue.from<number>(floats.handle).putSync(1)
// @ts-expect-error no handle
ThreadSafeQueue.from({})
// @ts-expect-error the queue in place of its handle
ThreadSafeQueue.from(floats)
// @ts-expect-error no handle
ThreadSafeQueue.from(undefined)
// @ts-expect-error the queue has numbers
ThreadSafeQueue.from<string>(floats.handle)
// @ts-expect-error its items are no text
texts.handle satisfies QueueHandle<number>

// Subclasses, and instanceof.
class Jobs<J extends Job> extends ThreadSafeQueue<J, J[]> {
  constructor() {
    super(10, { type: 'any', name: 'jobs' })
  }
  override putSync(item: J): void {
    super.putSync(item, { timeout: 10 })
  }
}
same<ReturnType<Jobs<Job>['getManySync']>, Job[]>(true)
class Samples extends ThreadSafeQueue<number, Float64Array> {
  constructor() {
    super(10, { type: 'float64' })
  }
}
same<ReturnType<Samples['getManySync']>, Float64Array>(true)
class MoreJobs extends ThreadSafeQueue<Job> {
  constructor() {
    super(10, { name: 'jobs' })
  }
}
same<ReturnType<MoreJobs['getManySync']>, Job[]>(true)
class AnyNumbers extends ThreadSafeQueue<number, number[]> {
  constructor() {
    super(10, { type: 'any' })
  }
}
same<ReturnType<AnyNumbers['getManySync']>, number[]>(true)
class Plain extends ThreadSafeQueue {}
same<ReturnType<Plain['getSync']>, unknown>(true)
new Plain(4, { type: 'any' }) satisfies ThreadSafeQueue
function lengthOf(value: unknown): number {
  return value instanceof ThreadSafeQueue ? value.qsize() : 0
}
function shut(value: ThreadSafeQueue<Job> | Error): void {
  if (value instanceof ThreadSafeQueue) {
    same<typeof value, ThreadSafeQueue<Job>>(true)
    value.close()
  } else value satisfies Error
}
shut(jobs)
lengthOf(jobs)

// In generic code.
class Pool<J> {
  readonly #jobs: ThreadSafeQueue<J>
  readonly #others = new ThreadSafeQueue<J>(10)
  constructor(capacity: number) {
    this.#jobs = new ThreadSafeQueue<J>(capacity, { type: 'any', name: 'pool' })
  }
  add(job: J): boolean {
    return this.#jobs.tryPut(job) || this.#others.tryPut(job)
  }
  take(): J[] {
    return this.#jobs.getManySync(10)
  }
  get handle(): QueueHandle<J> {
    return this.#jobs.handle
  }
  open(): ThreadSafeQueue<J> {
    return ThreadSafeQueue.from(this.handle)
  }
}
new Pool<Job>(4).add({ id: 1, text: '' })
async function drain<T>(queue: ThreadSafeQueue<T, unknown>): Promise<T[]> {
  const items: T[] = []
  for await (const item of queue) items.push(item)
  return items
}
same<typeof drained, number[]>(true)
const drained = await drain(floats)
function firstOf<T>(queue: ThreadSafeQueue<T>): T {
  return queue.getSync()
}
firstOf(jobs) satisfies Job
firstOf(texts) satisfies string
interface Source<T> {
  get(): Promise<T>
  readonly closed: boolean
}
jobs satisfies Source<Job> & AsyncIterable<Job> & Disposable & AsyncDisposable
floats satisfies Source<number>

// For the declarations of a user's code.
export const exported = new ThreadSafeQueue(4, { type: record({ x: 'float64', id: 'bytes[4]' }) })
export const exportedFloats = new ThreadSafeQueue(4, { type: 'float64' })
export const exportedHandle = exported.handle
export function makeQueue() {
  return ThreadSafeQueue.from(exportedHandle)
}
export class ExportedJobs extends ThreadSafeQueue<Job> {}
