import type { InspectOptions } from 'node:util'
import { types } from 'node:util'
import { checkHandle, Existing, type Handle, makeHandle } from '../addon/handle.js'
import { native } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { nativeFieldsOf } from '../codec/element-type.js'
import { type PostedType, postedType, postedTypeOf } from '../codec/posted-type.js'
import { isRecordType, type RecordType, recordTypeOf } from '../codec/record-type.js'
import { invalidType, outOfRange, withCode } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { checkObject, checkTimeout, patience, type WaitOptions } from '../wait/options.js'
import { VersionIterator, type Versioned } from './iterator.js'
import { createRecord, openRecord, type RecordVersions } from './record-versions.js'
import { ANY } from './versions.js'

const { record: RECORD } = native

declare const carries: unique symbol

/**
 * A record's handle, which `workerData` and `postMessage` take to another thread of this process,
 * for `SharedRecord.from()`. It tells the compiler what the record's values are.
 */
export interface RecordHandle<T = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](value: In): T
  /** Tells a record's handle from those of other objects. */
  readonly threadsafe: 'record'
}

/** Counts of a record, over all threads. */
export interface RecordStats {
  /** The number of writes so far, which is the version. */
  readonly writes: number
  /**
   * The number of reads that were repeated because writers went through nearly all buffers
   * meanwhile; modulo 2^32.
   */
  readonly retries: number
}

/** How often the function of an update may write to the record itself. */
const MOST_OWN_WRITES = 100

function checkType(type: unknown): RecordType {
  const recordType = recordTypeOf(type)
  if (!recordType) throw invalidType('type', "what record() made, as record({ x: 'float64' })", type)
  return recordType
}

function checkVersion(version: unknown): number {
  if (typeof version !== 'number') throw invalidType('sinceVersion', 'a version, a whole number', version)
  if (!Number.isSafeInteger(version) || version < 0) throw outOfRange('sinceVersion', 'a version: a whole number from 0', version)
  return version
}

type RecordExisting = Existing & { readonly handle: Handle & { readonly type: PostedType } }

/** @internal This thread's side of the record, which its objects do not show. */
export let versionsOfRecord: (record: SharedRecord<unknown, unknown>) => RecordVersions

/**
 * A record in memory that threads, native code and signal handlers read and write, each time as a
 * whole.
 */
export class SharedRecord<T = unknown, In = T> {
  /** Structured-cloneable. The other thread makes its own record object from it, with `from()`. */
  readonly handle: RecordHandle<T, In>
  readonly #versions: RecordVersions
  readonly #liveness = new Liveness()

  static {
    versionsOfRecord = (record) => record.#versions
  }

  /** See `SharedRecordConstructor`. */
  constructor(type: RecordType, initial?: Partial<In>)
  /** @internal from() passes the handle of a record that exists. */
  constructor(existing: Existing)
  constructor(given: RecordType | Existing, initial?: Partial<In>) {
    if (given instanceof Existing) {
      const { handle } = given as RecordExisting
      this.#versions = openRecord(handle.memory, postedTypeOf(handle.type, 'SharedRecord') as RecordType)
      this.handle = handle as unknown as RecordHandle<T, In>
    } else {
      const type = checkType(given)
      const memory = createRecord(type, initial)
      this.#versions = openRecord(memory, type)
      this.handle = makeHandle('record', memory, { type: postedType(type) }) as unknown as RecordHandle<T, In>
    }
  }

  /** See `SharedRecordConstructor`. */
  static from(handle: unknown): SharedRecord {
    const { memory, type } = checkHandle('record', handle, SharedRecord)
    const checked = postedTypeOf(type, 'SharedRecord')
    if (!isRecordType(checked)) throw invalidType('handle', 'the handle of a SharedRecord, which has a record type', { type })
    return new SharedRecord(new Existing(makeHandle('record', memory, { type: postedType(checked) })))
  }

  /**
   * The record as native code takes it, for `threadsafe_record_open()` of `threadsafe.h` in this
   * thread. See `ThreadSafeQueue.native`.
   */
  get native(): NativeHandle<'record'> {
    needDoorbell()
    return nativeHandle(this.#versions.view, nativeFieldsOf(this.#versions.type))
  }

  /**
   * Returns the newest value: all of its fields from the same moment, whoever writes meanwhile. It
   * never waits for a writer. Throws `Error` `ERR_DAMAGED_MEMORY` if something has written over the
   * record's memory.
   *
   * @example
   * const { x, y } = position.read()
   */
  read(): T {
    return this.#versions.value() as T
  }

  /**
   * Returns the newest value and its version.
   *
   * @example
   * const { value, version } = position.readWithVersion()
   */
  readWithVersion(): { value: T; version: number } {
    return this.#versions.versioned() as { value: T; version: number }
  }

  /** The number of writes so far, in all threads; `initial` does not count. */
  get version(): number {
    return this.#versions.version()
  }

  /**
   * Writes those fields, all at once, and leaves the others as they are. Returns the version it
   * made. Other fields that others write at the same time are not lost. Fields that the record's
   * type does not have are ignored. With no field it writes nothing and returns the current
   * version.
   *
   * Throws `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for a value that is not of
   * its field's type; then nothing is written. Throws `Error` `ERR_DAMAGED_MEMORY` if something has
   * written over the record's memory.
   *
   * @example
   * position.write({ x: 1.5, y: 2.5 })
   */
  write(fields: Partial<In>): number {
    const versions = this.#versions
    return versions.write(fields, ANY) ? versions.made : versions.version()
  }

  /**
   * Reads the value, calls `fn` with it, and writes the fields that `fn` returns if nobody has
   * written meanwhile. Otherwise it does all that again, with the newer value. Returns the version
   * it made. If `fn` returns no field, nothing is written, and the version is the one that `fn` was
   * given. If `fn` throws, nothing is written, and `update()` throws the same. It throws what
   * `write()` throws, and an `Error` with `ERR_UPDATE_WRITES` if `fn` writes to the record itself
   * each time it runs, which would never end.
   *
   * Nobody waits for `fn`, so it runs again after each write that came in between: keep it shorter
   * than the pauses between the writes of others. Beside writers that do not pause for so long,
   * `update()` does not end. Where `fn` takes long, have all writers hold a `Lock`.
   *
   * @example
   * counters.update(({ hits }) => ({ hits: hits + 1 }))
   */
  update(fn: (current: T) => Partial<In>): number {
    if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn)
    const versions = this.#versions
    for (let own = 0; ;) {
      const { value, version } = versions.versioned()
      const before = versions.written
      const fields: unknown = fn(value as T)
      if (types.isPromise(fields)) throw invalidType('fn', 'a function that returns fields, not a promise', fn)
      if (versions.write(fields, version)) return versions.made
      if (versions.given === 0) return version
      if (versions.written !== before && ++own === MOST_OWN_WRITES) {
        throw withCode(new Error('The function given to update() writes to the record itself each time it runs'), 'ERR_UPDATE_WRITES')
      }
    }
  }

  /**
   * Resolves to the newest version once that is later than `sinceVersion`: at once if it already
   * is. Rejects with `TimeoutError`, or the signal's `reason`.
   *
   * @example
   * const version = await position.wait(seen, { timeout: 1000 })
   */
  wait(sinceVersion: number, options?: WaitOptions): Promise<number> {
    try {
      const limits = patience(options)
      const since = checkVersion(sinceVersion)
      const versions = this.#versions
      return versions.wait(since, limits, this.#liveness, () => versions.version()) as Promise<number>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Blocks this thread until the newest version is later than `sinceVersion`, and returns it.
   * Throws `TimeoutError` when `timeout` milliseconds have passed; 0 looks once.
   *
   * @example
   * const version = position.waitSync(seen, { timeout: 1000 })
   */
  waitSync(sinceVersion: number, options?: { timeout?: number | undefined }): number {
    checkObject('options', options)
    const timeout = checkTimeout(options?.timeout)
    this.#versions.waitBlocking(checkVersion(sinceVersion), timeout, [this])
    return this.#versions.version()
  }

  /**
   * Gives the newest value each time it has changed, from the next write on. It may skip values
   * that were overwritten before the loop came to them.
   *
   * @example
   * for await (const { x, y } of position) draw(x, y)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const versions = this.#versions
    return new VersionIterator(versions, versions.version(), this.#liveness, () => versions.versioned() as Versioned<T>)
  }

  /** Counts over all threads. */
  stats(): RecordStats {
    return { writes: this.#versions.version(), retries: RECORD.retries(this.#versions.native) }
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

  /** @internal `SharedRecord { version: 3, value: { x: 1.5, y: 2.5 } }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'SharedRecord', () => ({ version: this.version, value: this.read() }), depth, options)
  }
}
