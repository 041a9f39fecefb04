/**
 * The addon of pool-handler.ts and pool-look.ts, from pool.c. It is compiled when it is first
 * needed. In your own project node-gyp or cmake-js would do that, as docs/native.md shows.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { includeDir, type NativeHandle } from 'threadsafe'

export interface PoolAddon {
  /** Makes a handler write that record every so many microseconds. */
  startRecord(record: NativeHandle<'record'>, microseconds: number): void
  /** Makes a handler write those numbers, unless the lock is held. */
  startLooking(lock: NativeHandle<'lock'>, pool: Float64Array, microseconds: number): void
  /**
   * Ends this. Returns how often the handler has written, and how often it has left the pool alone.
   */
  stop(): { writes: number; skipped: number }
}

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../..', import.meta.url))

export function loadPool(): PoolAddon {
  if (process.platform === 'win32') {
    throw Object.assign(new Error('Windows has no signal handlers'), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' })
  }
  const directory = join(root, 'build', 'examples')
  const output = join(directory, `pool-${process.pid}.node`)
  const { include_dir: nodeApi } = require('node-api-headers') as { include_dir: string }
  mkdirSync(directory, { recursive: true })
  const linking = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const includes = ['-I', includeDir, '-I', nodeApi]
  const source = join(root, 'examples', 'shared', 'pool.c')
  execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-pthread', ...linking, ...includes, source, '-o', output])
  return require(output) as PoolAddon
}
