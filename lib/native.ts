/** The addon, typed. Nothing but this file knows how it is loaded. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** What the addon keeps for a queue that this thread has open. A length is answered as itself, a status in its place as its negative. */
export interface NativeQueue {
  readonly type: number
  readonly capacity: number
  readonly slotBytes: number
  readonly overflow: number
  wake(list: number): void
  put(bytes: number): number
  offer(bytes: number): number
  putInTurn(bytes: number, woken: boolean): number
  leaveTurn(): void
  putBlocking(bytes: number, timeout: number): number
  get(): number
  getBlocking(timeout: number): number
  nextBytes(): number
  announce(list: number): void
  withdraw(list: number): void
  close(): void
  discard(): void
  slotsOf(bytes: number): number
  size(): number
  full(): boolean
  closed(): boolean
}

export interface NativeEvent {
  wake(list: number): void
  waitBlocking(timeout: number): number
  announce(): void
  withdraw(): void
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
  setScratch(bytes: Uint8Array): void
  setProbe(probe: () => void): void
  openDoorbell(onRing: () => void): boolean
  keepAlive(alive: boolean): void
  address(memory: Uint8Array): number
  queueMemory(type: number, capacity: number, slotBytes: number): number
  initQueue(memory: Uint8Array, type: number, capacity: number, slotBytes: number, overflow: number): void
  openQueue(memory: Uint8Array): NativeQueue | undefined
  initEvent(memory: Uint8Array): void
  openEvent(memory: Uint8Array): NativeEvent | undefined
  attachSignal(signo: number, target: Uint8Array): number
  attachTimer(signo: number, target: Uint8Array, nanoseconds: number): number
  detachSource(source: number): void
  sourceCounts(source: number): { delivered: number; dropped: number }
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
