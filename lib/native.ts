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
}

export type OpenedEvent = Opened<'event'>

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
  putManyBlocking(queue: NativeQueue, items: NodeJS.TypedArray, first: number, timeout: number): { status: number; done: number }
  getMany(queue: NativeQueue, items: NodeJS.TypedArray, first: number): number
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

interface Native {
  readonly status: Readonly<Record<'ok' | 'empty' | 'full' | 'closed' | 'timeout' | 'interrupted' | 'tooSmall' | 'dropped', number>>
  readonly elementTypes: Readonly<Record<string, number>>
  readonly overflows: Readonly<Record<string, number>>
  readonly layoutVersion: number
  readonly pageBytes: number
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
  queueMemory(type: number, capacity: number, itemBytes: number): number
  initQueue(memory: Uint8Array, type: number, capacity: number, itemBytes: number, overflow: number): void
  openQueue(memory: Uint8Array): OpenedQueue | undefined
  initEvent(memory: Uint8Array): void
  openEvent(memory: Uint8Array): OpenedEvent | undefined
  attachSignal(signo: number, target: Uint8Array): number
  attachTimer(
    signo: number,
    target: Uint8Array,
    nanoseconds: number,
    inThisThread: boolean,
    heartbeat: Uint8Array | undefined,
    olderThanNanoseconds: number,
  ): number
  reclaimSignal(signo: number): void
  /** Answers its last counts. */
  detachSource(source: number): SourceCounts
  sourceCounts(source: number): SourceCounts
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
