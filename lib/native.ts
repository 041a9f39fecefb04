/** The addon, typed. Nothing but this file knows how it is loaded. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

declare const kind: unique symbol

/** What the addon keeps for an object that this thread has open. */
export interface NativeObject<Kind extends 'queue' | 'event'> {
  readonly [kind]: Kind
}

export type NativeQueue = NativeObject<'queue'>
export type NativeEvent = NativeObject<'event'>

interface Opened<Kind extends 'queue' | 'event'> {
  readonly object: NativeObject<Kind>
  /** For WebAssembly, to wake who waits. */
  readonly wake: (list: number) => void
  /** Of the whole memory. To be kept as long as the object: whether it is gone tells the addon whether the memory may be. */
  readonly view: Uint8Array
}

/** An open queue, and what is known of it. */
export interface OpenedQueue extends Opened<'queue'> {
  readonly type: number
  readonly capacity: number
  readonly itemBytes: number
  readonly overflow: number
  /** Where in its memory the areas for blocks begin; of cells alone. */
  readonly blocks: number
}

export type OpenedEvent = Opened<'event'>

/** How a queue is doing, over all threads. Counts are modulo 2^32, and approximate while others put and get. */
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
}

/** A length is answered as itself, a status in its place as its negative. */
interface QueueFunctions {
  put(queue: NativeQueue, bytes: number): number
  offer(queue: NativeQueue, bytes: number): number
  putInTurn(queue: NativeQueue, bytes: number, woken: boolean): number
  leaveTurn(queue: NativeQueue): void
  putBlocking(queue: NativeQueue, bytes: number, timeout: number): number
  get(queue: NativeQueue): number
  getBlocking(queue: NativeQueue, timeout: number): number
  /** From `first` on. */
  putMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number): number
  /** How many were put, plus the status times 2^32. */
  putManyBlocking(queue: NativeQueue, items: NodeJS.TypedArray, first: number, timeout: number): number
  /** From `first` on, to before `end`. */
  getMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number, end: number): number
  /** As get, but the item stays. */
  peek(queue: NativeQueue): number
  clear(queue: NativeQueue): number
  stats(queue: NativeQueue): QueueStats
  /** Tells how many asynchronous calls of this thread wait there. */
  waiting(queue: NativeQueue, list: number, calls: number): void
  nextBytes(queue: NativeQueue): number
  announce(queue: NativeQueue, list: number): void
  withdraw(queue: NativeQueue, list: number): void
  close(queue: NativeQueue): void
  discard(queue: NativeQueue): void
  slotsOf(queue: NativeQueue, bytes: number): number
  size(queue: NativeQueue): number
  full(queue: NativeQueue): boolean
  closed(queue: NativeQueue): boolean
}

interface EventFunctions {
  waitBlocking(event: NativeEvent, timeout: number): number
  announce(event: NativeEvent): void
  withdraw(event: NativeEvent): void
}

export interface SourceCounts {
  readonly delivered: number
  readonly dropped: number
}

declare const weakTarget: unique symbol

/** Of an object that is kept by others. Unlike a WeakRef, it does not keep it until the current job ends. */
export interface Weak<T extends object> {
  readonly [weakTarget]: T
}

interface Native {
  readonly status: Readonly<Record<'ok' | 'empty' | 'full' | 'closed' | 'timeout' | 'interrupted' | 'tooSmall' | 'dropped', number>>
  readonly elementTypes: Readonly<Record<string, number>>
  readonly overflows: Readonly<Record<string, number>>
  readonly layoutVersion: number
  readonly pageBytes: number
  readonly blockBytes: number
  readonly eventMemory: number
  readonly firstRealtimeSignal: number
  readonly lastRealtimeSignal: number
  readonly queue: Readonly<QueueFunctions>
  readonly event: Readonly<EventFunctions>
  setScratch(bytes: Uint8Array): void
  setProbe(probe: () => void): void
  openDoorbell(onRing: () => void): boolean
  keepAlive(alive: boolean): void
  address(memory: Uint8Array): number
  weak<T extends object>(object: T): Weak<T>
  /** Undefined when it is gone. */
  target<T extends object>(reference: Weak<T>): T | undefined
  queueMemory(type: number, capacity: number, itemBytes: number): number
  initQueue(memory: Uint8Array, type: number, capacity: number, itemBytes: number, overflow: number): void
  openQueue(memory: Uint8Array): OpenedQueue | undefined
  /** The number of this thread's area for blocks, the same in every queue; -1 if there is none for it. */
  blockArea(): number
  initEvent(memory: Uint8Array): void
  openEvent(memory: Uint8Array): OpenedEvent | undefined
  /** `words`: for each object, an event's word when the wait began. */
  selectBlocking(objects: readonly NativeObject<'queue' | 'event'>[], words: readonly number[], timeout: number): number
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
  /** Answers its last counts. */
  detachSource(source: number): SourceCounts
  sourceCounts(source: number): SourceCounts
  /** What threadsafe.h opens; `type` of a field by its number. Needs an open doorbell. */
  nativeObject(memory: Uint8Array, fields: readonly { name: string; type: number; offset: number }[] | undefined): object | undefined
  sendSignal(pid: number, signo: number, value: number | undefined): number
}

function load(): Native {
  const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
  const require = createRequire(import.meta.url)
  const nodeGypBuild = require('node-gyp-build') as (directory: string) => Native
  try {
    return nodeGypBuild(packageRoot)
  } catch (cause) {
    throw new Error(
      `threadsafe: its addon for ${process.platform}-${process.arch} could not be loaded. ` +
        'If the package was installed with scripts disabled, run "npm rebuild threadsafe"; that needs a C++ compiler, make and python3.',
      { cause },
    )
  }
}

export const native = load()
native.setProbe(() => {})
