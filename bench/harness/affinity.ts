/**
 * Binds threads to cores. Threads that take turns, sleeping in between, may share a core for
 * seconds or have one each, as the kernel happens to place them. Their cost differs by factors. So
 * such cases bind their threads, and those of every contender alike.
 */
import { execFileSync } from 'node:child_process'
import { Unavailable } from './case.js'

/** The core of each of two threads, as an index into those that this process may use. */
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
 * Binds the main thread and all threads that it starts later to that core. Call it in the main
 * thread.
 */
export function bindMain(place: number): void {
  taskset(coreOf(place))
}

/**
 * Binds the threads that `start` starts to that core. They inherit the main thread's binding, so
 * this must be called there.
 */
export function onCore<T>(place: number, start: () => T): T {
  bindMain(place)
  try {
    return start()
  } finally {
    taskset(allowedList())
  }
}
