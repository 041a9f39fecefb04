/** Shared by the tests: waiting for conditions with a deadline, workers, and child processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { native } from '../lib/addon/native.js'

export { random } from './fixtures/random.js'

/** TEST_PATIENCE=5 lets everything take five times as long, for a build that is slow. */
export const PATIENCE = Number(process.env.TEST_PATIENCE ?? 1)

/**
 * Resolves as soon as the condition holds. Rejects, saying what was missing, if it does not within
 * that time.
 */
export async function until(what: string, condition: () => boolean, milliseconds = 5000): Promise<void> {
  const longest = Math.min(milliseconds * PATIENCE, 2 ** 31 - 1)
  const deadline = performance.now() + longest
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`After ${longest} ms still missing: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Settles as the promise does. Rejects, saying what was missing, if that takes too long. */
export async function within<T>(what: string, promise: Promise<T>, milliseconds = 5000): Promise<T> {
  const longest = Math.min(milliseconds * PATIENCE, 2 ** 31 - 1)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`After ${longest} ms still missing: ${what}`)), longest)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.js`, import.meta.url))
}

/** The ends of workers, recorded from their start, since a worker may end before anybody asks. */
const exits = new WeakMap<Worker, Promise<[number]>>()
/** The workers and processes that have not ended. */
const running = new Set<Worker | ChildProcess>()

function track<T extends Worker | ChildProcess>(started: T): T {
  running.add(started)
  return started.once('exit', () => running.delete(started)) as T
}

/** Ends the workers and processes that are running. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((one) => (one instanceof Worker ? one.terminate() : one.kill('SIGKILL'))))
}

/** The path of the addon that the tests run on, within the package. */
export const ADDON = process.env.PREBUILDS_ONLY ? 'prebuilds' : 'build/Release/threadsafe.node'

/**
 * The share of their full time that long tests take, those that look for rare events. TEST_SHARE=1
 * is all of it. When the suite runs once more for another build, a smaller share is enough.
 */
export const SHARE = Number(process.env.TEST_SHARE ?? 0.25)

/** The share from which on nothing is left out. */
const WHOLE_SHARE = 0.5

/** Returns how often to repeat what a test repeats so often at most. */
export function repetitions(count: number): number {
  return Math.ceil(count * Math.min(1, SHARE / WHOLE_SHARE))
}

/** Returns whether one of many similar cases is part of this run. */
export function isDrawn(): boolean {
  return Math.random() < SHARE / WHOLE_SHARE
}

/** Starts a worker that runs `test/fixtures/<name>.ts`. */
export function startWorker(name: string, workerData?: unknown, options: WorkerOptions = {}): Worker {
  const worker = track(new Worker(fixture(name), { workerData, ...options }))
  exits.set(worker, once(worker, 'exit') as Promise<[number]>)
  return worker
}

/**
 * Resolves when the worker has ended by itself. Rejects with its error, or if it takes too long.
 */
export async function finished(worker: Worker, milliseconds = 30_000): Promise<number> {
  const ended = new Promise<number>((resolve, reject) => {
    worker.once('error', reject)
    exits.get(worker)?.then(([code]) => resolve(code), reject)
  })
  return within('the end of a worker', ended, milliseconds)
}

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  milliseconds: number
}

/** Starts `test/fixtures/<name>.ts` as a process of its own. */
export function startProcess(name: string, args: string[] = [], nodeOptions: string[] = [], env = process.env): ChildProcess {
  return track(spawn(process.execPath, [...nodeOptions, fixture(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env }))
}

/**
 * Runs `test/fixtures/<name>.ts` as a process of its own until it ends. If it takes too long, it is
 * killed and the test fails.
 */
export async function runProcess(
  name: string,
  args: string[] = [],
  milliseconds = 20_000,
  nodeOptions?: string[],
  env?: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const start = performance.now()
  const child = startProcess(name, args, nodeOptions, env)
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '', milliseconds: 0 }
  child.stdout?.on('data', (text) => (outcome.stdout += String(text)))
  child.stderr?.on('data', (text) => (outcome.stderr += String(text)))
  try {
    ;[outcome.code, outcome.signal] = await within(`the end of ${name} ${args.join(' ')}`, once(child, 'close'), milliseconds)
  } finally {
    child.kill('SIGKILL')
  }
  outcome.milliseconds = performance.now() - start
  return outcome
}

/** Returns what the call throws. Fails if it throws nothing. */
export function thrown(call: () => unknown): unknown {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    return error
  }
  throw new Error(`The call threw nothing, it returned ${inspect(result, { depth: 1 })}`)
}

/** Resolves to what the promise rejects with. Fails if it resolves or takes too long. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const none = {}
  let reason: unknown = none
  const settled = promise.catch((error: unknown) => (reason = error))
  const result = await within('the rejection of a promise', settled)
  if (reason === none) throw new Error(`The promise resolved to ${inspect(result, { depth: 1 })}`)
  return reason
}

/**
 * Resolves after a few iterations of the event loop. By then everything has happened that was due
 * in this thread and needs no time to pass.
 */
export async function loopIterations(count = 3): Promise<void> {
  for (let k = 0; k < count; k++) await new Promise((resolve) => setTimeout(resolve, 0))
}

/**
 * Returns the number of threads that are blocked in calls of that object, or have just been woken.
 * Reads its memory, whose layout is in native/core/wait.h.
 */
export function threadsBlocked({ handle }: { readonly handle: object }): number {
  const { threadsafe, memory } = handle as { threadsafe: 'queue' | 'event' | 'record' | 'message' | 'lock'; memory: WebAssembly.Memory }
  const { notEmpty, notFull, waiters, changed, lockWaiters } = native.lists
  const words = new Int32Array(memory.buffer)
  const lists = { queue: [notEmpty, notFull], event: [waiters], record: [changed], message: [changed], lock: [lockWaiters] }[threadsafe]
  return lists.reduce((sum, list) => sum + (Atomics.load(words, list / 4) & 0x7fffffff) + Atomics.load(words, list / 4 + 1), 0)
}

/**
 * Returns the number of buffers of a record or a message, and how many of them are free. Reads its
 * memory, whose layout is in native/core/layout.h.
 */
export function buffersOf({ handle }: { readonly handle: object }): { count: number; free: number } {
  const words = new Uint32Array((handle as { memory: WebAssembly.Memory }).memory.buffer)
  const bits = (word: number): number => (words[word] as number).toString(2).replaceAll('0', '').length
  const [geometry, free] = [128 + 24, native.lists.changed - 128].map((offset) => offset / 4) as [number, number]
  return { count: words[geometry + 2] as number, free: bits(free) + bits(free + 1) }
}
