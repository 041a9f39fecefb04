/** The addon, typed. */
import { isMainThread } from 'node:worker_threads'
import { loadAddon } from './loader.js'

declare const kind: unique symbol

/** The kinds of shared objects. */
export type ObjectKind = 'queue' | 'event' | 'record' | 'message' | 'lock' | 'pool'

/** What the addon keeps for an object that this thread has open. */
export interface NativeObject<Kind extends ObjectKind = ObjectKind> {
  readonly [kind]: Kind
}

export type NativeQueue = NativeObject<'queue'>
export type NativeEvent = NativeObject<'event'>
export type NativeRecord = NativeObject<'record' | 'message'>
export type NativeLock = NativeObject<'lock'>
export type NativePool = NativeObject<'pool'>

interface Opened<Kind extends ObjectKind> {
  readonly object: NativeObject<Kind>
  /** WebAssembly calls it to wake whoever waits at that list. */
  readonly wake: (list: number) => void
  /**
   * A view of the whole memory. Keep it alive as long as the object: the addon takes the memory to
   * be unused once this view is collected.
   */
  readonly view: Uint8Array
}

/** An open queue, and its properties. */
export interface OpenedQueue extends Opened<'queue'> {
  readonly type: number
  readonly capacity: number
  readonly itemBytes: number
  readonly overflow: number
  /** Bytes of the head in front of each item. */
  readonly headBytes: number
  /** The bytes of the longest item that the whole queue holds, head included. */
  readonly mostBytes: number
  /** Where in its memory the staging areas begin. */
  readonly staging: number
}

export type OpenedEvent = Opened<'event'>
export type OpenedLock = Opened<'lock'>

/** An open pool, and what is known of it. */
export interface OpenedPool extends Opened<'pool'> {
  readonly type: number
  readonly count: number
  readonly bytes: number
  /** The bits of a lease's name that are the buffer's index. */
  readonly indexMask: number
  readonly salt: number
  /** Where in its memory the first buffer is. */
  readonly buffers: number
  readonly stride: number
}

/** An open record or message, and what is known of it. */
export interface OpenedRecord extends Opened<'record' | 'message'> {
  readonly type: number
  /** The longest content. */
  readonly bytes: number
  /** Where in its memory the staging areas begin. */
  readonly staging: number
  /** Where the length of the content is that it has at first; the content follows. */
  readonly first: number
}

/**
 * Statistics of a queue over all threads. Counts are modulo 2^32, and approximate while others put
 * and get.
 */
export interface QueueStats {
  /** Items in the queue. */
  readonly depth: number
  /** Items that were accepted. */
  readonly puts: number
  /** Items that were got. */
  readonly gets: number
  /** Items lost to the overflow policy, or by a signal handler to a full queue. */
  readonly dropped: number
  /** Items dropped by `clear()` and by a discarding `close()`. */
  readonly discarded: number
  /** Calls that wait for an item, blocked and asynchronous ones. */
  readonly waitingGets: number
  /** Calls that wait for room. */
  readonly waitingPuts: number
  /** Items that were put and are not finished: neither reported by `taskDone()` nor dropped. */
  readonly unfinished: number
}

/** The moment when a join began, as it remembers it; see native/core/unfinished.h. */
export interface JoinStart {
  readonly times: number
  readonly puts: number
}

/**
 * Gets return a length, or a negated status. Items pass through the scratch buffer; where there is
 * a `body`, all but the head passes through that. Functions that put several items return how many
 * they put, plus the status times 2^32.
 */
interface QueueFunctions {
  put(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  offer(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  putFirst(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  putWaiting(queue: NativeQueue, bytes: number, woken: boolean, body?: Uint8Array): number
  /** Whether a waiting put of this thread's loop is held back by the priority token of another. */
  heldBack(queue: NativeQueue): boolean
  giveUpToken(queue: NativeQueue): void
  putBlocking(queue: NativeQueue, bytes: number, timeout: number, body?: Uint8Array): number
  get(queue: NativeQueue, body?: Uint8Array): number
  /** Does not wait for another thread's copy. */
  getFirst(queue: NativeQueue, body?: Uint8Array): number
  getBlocking(queue: NativeQueue, timeout: number, body?: Uint8Array): number
  /** Puts the `count` packed messages in `messages`, the first of which begins at `from`. */
  putPacked(queue: NativeQueue, messages: Uint8Array, from: number, count: number): number
  putPackedWaiting(queue: NativeQueue, messages: Uint8Array, from: number, count: number, ofLoop: boolean, woken: boolean): number
  putPackedBlocking(queue: NativeQueue, messages: Uint8Array, from: number, count: number, timeout: number): number
  /** Puts the items from index `first` on. */
  putMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number): number
  putManyBlocking(queue: NativeQueue, items: NodeJS.TypedArray, first: number, timeout: number): number
  /** Gets into the elements from `first` up to, not including, `end`. */
  getMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number, end: number): number
  /** Like get, but leaves the item in the queue. */
  peek(queue: NativeQueue, body?: Uint8Array): number
  clear(queue: NativeQueue): number
  stats(queue: NativeQueue): QueueStats
  /** Returns false, and changes nothing, if fewer items were got and not reported yet. */
  taskDone(queue: NativeQueue, count: number): boolean
  joinStart(queue: NativeQueue): JoinStart
  /** Whether no item is unfinished, or none was at some moment since that join began. */
  allDone(queue: NativeQueue, times: number, puts: number): boolean
  /** Announces this loop for its joins, which must look again after that. */
  announceJoin(queue: NativeQueue): void
  /** Says how many asynchronous calls of this thread wait at that list. */
  waiting(queue: NativeQueue, list: number, calls: number): void
  nextBytes(queue: NativeQueue): number
  /**
   * Announces this loop, `calls` of whose calls wait. Returns whether a get, or a put of one slot,
   * could do something now.
   */
  announce(queue: NativeQueue, list: number, calls: number): boolean
  /**
   * Withdraws that announcement, as none of this loop's calls waits any more. What is there now is
   * for others.
   */
  withdraw(queue: NativeQueue, list: number): void
  close(queue: NativeQueue): void
  discard(queue: NativeQueue): void
  size(queue: NativeQueue): number
  full(queue: NativeQueue): boolean
  closed(queue: NativeQueue): boolean
}

interface EventFunctions {
  waitBlocking(event: NativeEvent, timeout: number): number
  announce(event: NativeEvent): void
}

/**
 * A version is told with the set bit as the lowest; in its place a status is told as its negative.
 * Content passes through the scratch buffer; with `body`, all but the head does through that.
 */
interface RecordFunctions {
  read(record: NativeRecord, body?: Uint8Array): number
  /** The bytes of the item that was read last, or was too long. */
  length(record: NativeRecord): number
  /** One try, for the version after that one, or any where that is negative. */
  write(record: NativeRecord, bytes: number, after: number, body?: Uint8Array): number
  retries(record: NativeRecord): number
  /** Waits for a later version. */
  waitBlocking(record: NativeRecord, since: number, timeout: number): number
  announce(record: NativeRecord): void
}

/**
 * Acquiring returns the acquisition's epoch, plus 2^32 if the last holder has abandoned the lock;
 * or a status as its negative. `since` is by now().
 */
interface LockFunctions {
  acquire(lock: NativeLock): number
  acquireInTurn(lock: NativeLock, since: number): number
  acquireBlocking(lock: NativeLock, timeout: number): number
  /** Announces this loop. Returns whether the call that waits since then could do something now. */
  announce(lock: NativeLock, since: number): boolean
  /** None of this loop's calls waits any more. */
  withdraw(lock: NativeLock): void
}

interface PoolFunctions {
  /** The lease's name, or a status as its negative. */
  lendBlocking(pool: NativePool, timeout: number): number
  /** Announces this loop. Returns whether a buffer is free. */
  announce(pool: NativePool): boolean
  /** None of this loop's calls waits any more. */
  withdraw(pool: NativePool): void
  stats(pool: NativePool): { readonly free: number; readonly lent: number; readonly passed: number }
}

export interface SourceCounts {
  readonly delivered: number
  readonly dropped: number
}

declare const listens: unique symbol

/** What the addon keeps for this evaluation of the package. There may be others in this thread. */
export interface Listener {
  readonly [listens]: true
}

declare const weakTarget: unique symbol

/**
 * A weak reference. Unlike a WeakRef, it does not keep the object alive until the current job ends.
 */
export interface Weak<T extends object> {
  readonly [weakTarget]: T
}

/** A field of a record, as threadsafe.h describes it. */
export interface NativeField {
  readonly name: string
  readonly type: number
  readonly offset: number
  readonly bytes: number
}

interface Native {
  readonly status: Readonly<
    Record<'ok' | 'empty' | 'full' | 'closed' | 'timeout' | 'interrupted' | 'tooSmall' | 'dropped' | 'busy' | 'damaged', number>
  >
  /** The arguments of `ask()` in a queue's WebAssembly. */
  readonly questions: Readonly<Record<'status' | 'size' | 'full' | 'closed' | 'spinForItem' | 'spinForRoom', number>>
  readonly elementTypes: Readonly<Record<string, number>>
  readonly overflows: Readonly<Record<string, number>>
  readonly layoutVersion: number
  readonly pageBytes: number
  readonly stagingBytes: number
  /** How several messages lie in a staging area; see native/core/layout.h. */
  readonly mostTogether: number
  readonly togetherBytes: number
  readonly wide: number
  readonly scratchBytes: number
  /** Whether this processor may reorder stores, so that `write()` of a record needs a fence. */
  readonly storesReordered: boolean
  /** Bytes of the length in front of content that was read into a staging area. */
  readonly lengthBytes: number
  /** Bytes of the head in front of an item, which says how the item is encoded. */
  readonly headBytes: number
  readonly eventMemory: number
  readonly lockMemory: number
  /** The most that a pool can have. */
  readonly mostBuffers: number
  /** The number of this thread as an owner of locks; never 0. */
  readonly threadNumber: number
  /** Of this thread: the head of the list of kept.ts. */
  readonly kept: object
  /** How many wait lists a ring may name. */
  readonly rungLists: number
  /** The numbers of a queue's lists at which calls wait. */
  readonly waitFor: Readonly<Record<'item' | 'room', number>>
  /** Offsets of the wait lists in an object's memory. */
  readonly lists: Readonly<Record<'notEmpty' | 'notFull' | 'allDone' | 'waiters' | 'changed' | 'lockWaiters' | 'poolWaiters', number>>
  readonly firstRealtimeSignal: number
  readonly lastRealtimeSignal: number
  readonly queue: Readonly<QueueFunctions>
  readonly event: Readonly<EventFunctions>
  readonly record: Readonly<RecordFunctions>
  readonly lock: Readonly<LockFunctions>
  readonly pool: Readonly<PoolFunctions>
  /**
   * The buffer of `scratchBytes` that messages pass through. All evaluations of the package in this
   * thread get the same one.
   */
  scratchBuffer(): ArrayBuffer
  setProbe(probe: () => void): void
  /**
   * Says that this is Node. So libuv's loop can be asked whether it is idle, and, in a worker, is
   * woken by whoever stops this thread. Call it before there is a listener.
   */
  isNodes(isWorker: boolean): void
  /**
   * Opens this loop's doorbell, if it is not open yet. From then on `onLoop` is called on each
   * ring, and with the numbers of calls that are due. The addon holds it weakly, unless keep() says
   * otherwise. `rung[0]` is the number of wait lists that were rung for, and their addresses
   * follow; -1 means perhaps all lists. The addon sets `callsLeft[0]` to 1 in each iteration of the
   * loop that follows a look. Returns undefined when too many loops wait already.
   */
  listen(onLoop: (due?: number[]) => void, callsLeft: Int32Array, rung: Float64Array): Listener | undefined
  /** `alive`: waiting calls keep the loop alive. `waits`: there are waiting calls. */
  keep(listener: Listener, alive: boolean, waits: boolean): void
  /** Returns the `at` that clearDeadline() needs. */
  setDeadline(listener: Listener, call: number, milliseconds: number): number
  clearDeadline(listener: Listener, call: number, at: number): void
  /**
   * How many asynchronous calls may be served at once, this one included, before the next look. 0
   * means none in this iteration of the loop; then the doorbell has been rung for the next one.
   * Needs a listener.
   */
  look(): number
  /** Milliseconds of a monotonic clock. */
  now(): number
  /** Makes all threads collect garbage: this one now, the others when their loops come round. */
  collectEverywhere(): void
  /** Blocks this thread. */
  sleep(milliseconds: number): void
  address(memory: Uint8Array): number
  weak<T extends object>(object: T): Weak<T>
  /** Returns undefined when the object is gone. */
  target<T extends object>(reference: Weak<T>): T | undefined
  queueMemory(type: number, capacity: number, itemBytes: number): number
  initQueue(memory: Uint8Array, type: number, capacity: number, itemBytes: number, overflow: number): void
  openQueue(memory: Uint8Array): OpenedQueue | undefined
  /** The number of this thread's staging area, the same in every queue; -1 if none was left. */
  stagingArea(): number
  initEvent(memory: Uint8Array): void
  openEvent(memory: Uint8Array): OpenedEvent | undefined
  /** Bytes of memory for content of at most so many bytes; 0 if that is more than there can be. */
  recordMemory(type: number, bytes: number): number
  initRecord(memory: Uint8Array, isMessage: boolean, type: number, bytes: number): void
  openRecord(memory: Uint8Array, isMessage: boolean): OpenedRecord | undefined
  initLock(memory: Uint8Array): void
  openLock(memory: Uint8Array): OpenedLock | undefined
  /** 0 if there can be no such pool. */
  poolMemory(type: number, count: number, bytes: number): number
  initPool(memory: Uint8Array, type: number, count: number, bytes: number): void
  openPool(memory: Uint8Array): OpenedPool | undefined
  /**
   * `words` has, for each event, its word when the wait began, and for each message its version.
   */
  selectBlocking(objects: readonly NativeObject[], words: readonly number[], timeout: number): number
  attachSignal(signo: number, target: Uint8Array): number
  attachTimer(
    signo: number,
    target: Uint8Array,
    nanoseconds: number,
    inThisThread: boolean,
    heartbeat: Uint8Array | undefined,
    olderThanNanoseconds: number,
  ): number
  /** Whether our handler is the process's handler for that signal. */
  isInstalled(signo: number): boolean
  /** Says that this is Node, where the chain of handlers follows what libuv does. */
  followLibuv(): void
  /** Says that `process` is about to begin or stop listening to that signal. */
  willListen(signo: number): void
  /** Says that it has done so; `listens` is whether it listens now. */
  hasListened(signo: number, listens: boolean): void
  /** Set when an evaluation of the module in this thread, perhaps another one, makes both calls. */
  watchesListeners?: true
  /** Returns the source's final counts. */
  detachSource(source: number): SourceCounts
  sourceCounts(source: number): SourceCounts
  /** The object that threadsafe.h opens. A field's `type` is its number. Needs an open doorbell. */
  nativeObject(memory: Uint8Array, fields: readonly NativeField[] | undefined): object | undefined
  sendSignal(pid: number, signo: number, value: number | undefined): number
}

/**
 * Deno's Node-API frees a cleanup hook twice and has no handle scope at exit, so the process would
 * crash when it ends, if not before.
 */
function refuseDeno(): void {
  const version = (process.versions as Readonly<Record<string, string | undefined>>).deno
  if (version === undefined) return
  throw new Error(`threadsafe does not run on Deno (this is ${version}), whose Node-API would crash the process. Use Node.js or Bun.`)
}

function load(): Native {
  refuseDeno()
  return loadAddon() as Native
}

/** Node, among the runtimes that the package runs on; the other one is Bun. */
export const isNode = process.versions.bun === undefined

export const native = load()
native.setProbe(() => {})
if (isNode) native.isNodes(!isMainThread)
