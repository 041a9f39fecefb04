/**
 * Which cores threads run on. Threads that alternate, and sleep in between, share a core or have
 * one each for seconds, as the kernel happens to place them, and their cost differs by factors. So
 * such cases bind threads, every contender's alike.
 */
import { execFileSync } from 'node:child_process'
import { Unavailable } from './case.js'

/** A core for each of two threads, counted among those that this process may use. */
export type Placement = readonly [number, number]
export const SHARING_A_CORE: Placement = [0, 0]
export const A_CORE_EACH: Placement = [0, 1]

/** Runs taskset for the main thread, whose id is the process's. Returns what it prints. */
function taskset(...list: string[]): string {
  try {
    return execFileSync('taskset', ['-pc', ...list, String(process.pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    throw new Unavailable('threads can not be bound to cores here: that needs taskset, of Linux')
  }
}

/** The cores that the process may use, in the form 0,2-3. */
let allowed: string | undefined

function allowedList(): string {
  return (allowed ??= taskset().split(':').pop()?.trim() as string)
}

function coreOf(place: number): string {
  const cores = allowedList()
    .split(',')
    .flatMap((range) => {
      const [first, last] = range.split('-').map(Number) as [number, number?]
      return Array.from({ length: (last ?? first) - first + 1 }, (_, k) => first + k)
    })
  const core = cores[place]
  if (core === undefined) throw new Unavailable(`needs ${place + 1} cores`)
  return String(core)
}

/**
 * Binds the main thread, which must call this, and the threads that it starts later, to that core.
 */
export function bindMain(place: number): void {
  taskset(coreOf(place))
}

/**
 * Binds the threads that `start` starts to that core. They inherit the binding of the main thread,
 * which must call this.
 */
export function onCore<T>(place: number, start: () => T): T {
  bindMain(place)
  try {
    return start()
  } finally {
    taskset(allowedList())
  }
}
