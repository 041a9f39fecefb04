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

interface Opened<Kind extends ObjectKind> {
  readonly object: NativeObject<Kind>
  /** For WebAssembly, to wake who waits. */
  readonly wake: (list: number) => void
  /**
   * Of the whole memory. To be kept as long as the object: whether it is gone tells the addon
   * whether the memory may be.
   */
  readonly view: Uint8Array
}

/** An open queue, and what is known of it. */
export interface OpenedQueue extends Opened<'queue'> {
  readonly type: number
  readonly capacity: number
  readonly itemBytes: number
  readonly overflow: number
  /** Of the head that its items have. */
  readonly headBytes: number
  /** Of the longest item that the whole queue holds, head included. */
  readonly mostBytes: number
  /** Where in its memory the staging areas begin. */
  readonly staging: number
}

export type OpenedEvent = Opened<'event'>

/**
 * How a queue is doing, over all threads. Counts are modulo 2^32, and approximate while others put
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

/** What a join remembers of the moment when it began; see native/core/queue.h. */
export interface JoinStart {
  readonly times: number
  readonly puts: number
}

/**
 * A length is returned as itself, a status in its place as its negative. Items pass through the
 * scratch buffer; with `body`, all but the head does through that. What puts several items returns
 * how many it put, plus the status times 2^32.
 */
interface QueueFunctions {
  put(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  offer(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  putFirst(queue: NativeQueue, bytes: number, body?: Uint8Array): number
  putInTurn(queue: NativeQueue, bytes: number, woken: boolean, body?: Uint8Array): number
  /** Whether a waiting put of this thread's loop is held back by the priority token of another. */
  heldBack(queue: NativeQueue): boolean
  leaveTurn(queue: NativeQueue): void
  putBlocking(queue: NativeQueue, bytes: number, timeout: number, body?: Uint8Array): number
  get(queue: NativeQueue, body?: Uint8Array): number
  /** Does not wait for a copy of somebody else's. */
  getFirst(queue: NativeQueue, body?: Uint8Array): number
  getBlocking(queue: NativeQueue, timeout: number, body?: Uint8Array): number
  /** `count` messages that lie there, the first at `from`. */
  putPacked(queue: NativeQueue, messages: Uint8Array, from: number, count: number): number
  putPackedInTurn(queue: NativeQueue, messages: Uint8Array, from: number, count: number, ofLoop: boolean, woken: boolean): number
  putPackedBlocking(queue: NativeQueue, messages: Uint8Array, from: number, count: number, timeout: number): number
  /** From `first` on. */
  putMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number): number
  putManyBlocking(queue: NativeQueue, items: NodeJS.TypedArray, first: number, timeout: number): number
  /** From `first` on, to before `end`. */
  getMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number, end: number): number
  /** As get, but the item stays. */
  peek(queue: NativeQueue, body?: Uint8Array): number
  clear(queue: NativeQueue): number
  stats(queue: NativeQueue): QueueStats
  /** False, and nothing has changed, if fewer items were got and not reported yet. */
  taskDone(queue: NativeQueue, count: number): boolean
  joinStart(queue: NativeQueue): JoinStart
  /** Whether no item is unfinished, or none was at some moment since that join began. */
  allDone(queue: NativeQueue, times: number, puts: number): boolean
  /** Announces this loop for its joins, which look then. */
  announceJoin(queue: NativeQueue): void
  /** Tells how many asynchronous calls of this thread wait there. */
  waiting(queue: NativeQueue, list: number, calls: number): void
  nextBytes(queue: NativeQueue): number
  /**
   * Announces this loop, and tells that so many of its calls wait. Returns whether a get, or a put
   * of one slot, could do something now.
   */
  announce(queue: NativeQueue, list: number, calls: number): boolean
  /** It is not, none of its calls waits, and others are for what is there. */
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

export interface SourceCounts {
  readonly delivered: number
  readonly dropped: number
}

declare const listens: unique symbol

/** What the addon keeps of this evaluation of the package: there may be others in this thread. */
export interface Listener {
  readonly [listens]: true
}

declare const weakTarget: unique symbol

/**
 * Of an object that is kept by others. Unlike a WeakRef, it does not keep it until the current job
 * ends.
 */
export interface Weak<T extends object> {
  readonly [weakTarget]: T
}

/** A field of a record as threadsafe.h tells of it. */
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
  /** What `ask()` of a queue's WebAssembly returns. */
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
  /** Of the head in front of an item whose encoding has to be told. */
  readonly headBytes: number
  readonly eventMemory: number
  /** How many wait lists a ring may name. */
  readonly rungLists: number
  /** The numbers of a queue's lists at which calls wait. */
  readonly waitFor: Readonly<Record<'item' | 'room', number>>
  /** Where in an object's memory its wait lists are. */
  readonly lists: Readonly<Record<'notEmpty' | 'notFull' | 'allDone' | 'waiters', number>>
  readonly firstRealtimeSignal: number
  readonly lastRealtimeSignal: number
  readonly queue: Readonly<QueueFunctions>
  readonly event: Readonly<EventFunctions>
  /** What messages pass through, of `scratchBytes`: the same for all who ask in this thread. */
  scratchBuffer(): ArrayBuffer
  setProbe(probe: () => void): void
  /**
   * This is Node: the event loop is libuv's own, which can be asked whether it is idle, and, in a
   * worker, is woken by whoever stops this thread. Before there is a listener.
   */
  isNodes(isWorker: boolean): void
  /**
   * Opens this loop's doorbell, if it is not open yet. From then on `onLoop` is called on each
   * ring, and with the numbers of calls that are due. The addon holds it weakly, unless keep() says
   * otherwise. `rung[0]` tells how many wait lists it is rung for, or -1 for perhaps all of them,
   * and their addresses follow. `callsLeft[0]` becomes 1 with each iteration of the loop in which
   * there was a look. Undefined when too many loops wait already.
   */
  listen(onLoop: (due?: number[]) => void, callsLeft: Int32Array, rung: Float64Array): Listener | undefined
  /** `alive`: calls keep the loop alive. `waits`: there are calls that wait. */
  keep(listener: Listener, alive: boolean, waits: boolean): void
  /** Returns what clearDeadline() has to know. */
  setDeadline(listener: Listener, call: number, milliseconds: number): number
  clearDeadline(listener: Listener, call: number, at: number): void
  /**
   * How many asynchronous calls may be served at once, this one included, before the next look. 0:
   * none in this iteration of the loop, whose doorbell has been rung for the next one. Needs a
   * listener.
   */
  look(): number
  /** Milliseconds of a clock that nobody sets. */
  now(): number
  /**
   * Has all threads collect what they do not use any more: this one now, the others when their
   * loops come round.
   */
  collectEverywhere(): void
  /** Blocks this thread. */
  sleep(milliseconds: number): void
  address(memory: Uint8Array): number
  weak<T extends object>(object: T): Weak<T>
  /** Undefined when it is gone. */
  target<T extends object>(reference: Weak<T>): T | undefined
  queueMemory(type: number, capacity: number, itemBytes: number): number
  initQueue(memory: Uint8Array, type: number, capacity: number, itemBytes: number, overflow: number): void
  openQueue(memory: Uint8Array): OpenedQueue | undefined
  /**
   * The number of this thread's staging area, the same in every queue; -1 if there is none for it.
   */
  stagingArea(): number
  initEvent(memory: Uint8Array): void
  openEvent(memory: Uint8Array): OpenedEvent | undefined
  /** `words`: for each object, an event's word when the wait began. */
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
  /** Whether the handler that the process has for it is ours. */
  isInstalled(signo: number): boolean
  /** This is Node: what libuv does with signals is looked after. */
  followLibuv(): void
  /** `process.on()` is about to begin or end to listen to that signal. */
  willListen(signo: number): void
  /** It has; `listens`: it does now. */
  hasListened(signo: number, listens: boolean): void
  /** Somebody in this thread calls both, and it may be another instance of the module. */
  watchesListeners?: true
  /** Returns its last counts. */
  detachSource(source: number): SourceCounts
  sourceCounts(source: number): SourceCounts
  /** What threadsafe.h opens; `type` of a field by its number. Needs an open doorbell. */
  nativeObject(memory: Uint8Array, fields: readonly NativeField[] | undefined): object | undefined
  sendSignal(pid: number, signo: number, value: number | undefined): number
}

/**
 * Deno's Node-API frees a cleanup hook twice and has no handle scope at exit: the process would
 * crash, at the latest as it ends.
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

/** Of those that the package runs on. */
export const isNode = process.versions.bun === undefined

export const native = load()
native.setProbe(() => {})
if (isNode) native.isNodes(!isMainThread)
