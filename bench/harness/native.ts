/**
 * The C++ part of the suite, native/bench. The first case that needs it builds it, into
 * build/bench.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { NativeHandle } from '../../lib/index.js'
import { type Runner, Unavailable } from './case.js'
import { root } from './paths.js'

const execute = promisify(execFile)
const directory = join(root, 'build', 'bench')
const built = join(directory, 'native', 'bench')

/** Builds it. Returns the reason if it could not be built, else undefined. */
export async function buildNative(): Promise<string | undefined> {
  const nodeInclude = resolve(process.execPath, '../../include/node')
  try {
    await execute('cmake', ['-S', root, '-B', directory, '-DCMAKE_BUILD_TYPE=Release', `-DNODE_INCLUDE=${nodeInclude}`])
    await execute('cmake', ['--build', directory, '--target', 'native_bench'])
  } catch (error) {
    return `native/bench could not be built: ${firstLine(error)}`
  }
  // Failure is ignored: the addon needs headers of Node-API and libuv, which are not always there.
  await execute('cmake', ['--build', directory, '--target', 'bench_addon']).catch(() => undefined)
  return undefined
}

function firstLine(error: unknown): string {
  const lines = String((error as { stderr?: string }).stderr || error).split('\n')
  return lines.find((line) => /error/i.test(line)) ?? (lines[0] as string)
}

/** Runs the program native_bench for each round. The number of items is its last argument. */
export function nativeRunner(...command: (string | number)[]): () => Runner {
  return () => {
    const file = join(built, 'native_bench')
    if (!existsSync(file)) throw new Unavailable('native/bench is not built')
    return async (items) => {
      const { stdout } = await execute(file, [...command.map(String), String(items)], { maxBuffer: 2 ** 26 })
      const values = stdout.trim().split(' ').map(Number)
      return values.length === 1 ? (values[0] as number) : values
    }
  }
}

/** The functions of native/bench/addon.cc. An address names a C++ object in any thread. */
export interface BenchAddon {
  queueBytes(capacity: number): number
  openQueue(memory: Uint8Array, capacity: number): { put(value: number): boolean; get(): number | undefined }
  /** Eight numbers behind a mutex. */
  openRecord(): { read(to: Float64Array): void; write(from: Float64Array): void }
  /** Puts items that hold the time of their put. */
  putFromThread(queue: NativeHandle<'queue'>, times: number, pauseMicroseconds: number): void
  openAsync(callback: (stamp: number) => void): number
  sendAsync(async: number): void
  sendAsyncOnSignal(signo: number, async: number): void
  sendAsyncFromThread(async: number, times: number, pauseMicroseconds: number): void
  openThreadsafeFunction(callback: (stamp: number) => void): number
  callFromThread(threadsafeFunction: number, times: number, pauseMicroseconds: number): void
}

export function benchAddon(): BenchAddon {
  const file = join(built, 'bench_addon.node')
  if (!existsSync(file)) throw new Unavailable('the addon of native/bench could not be built')
  return createRequire(import.meta.url)(file) as BenchAddon
}
