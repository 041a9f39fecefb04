/**
 * The addon of pool-handler.ts and pool-look.ts, pool.c: it is compiled when it is first asked for.
 * In a project of yours node-gyp or cmake-js does that; docs/native.md shows how.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { includeDir, type NativeHandle } from 'threadsafe'

export interface PoolAddon {
  /** From now on a handler writes that record every so many microseconds. */
  startRecord(record: NativeHandle<'record'>, microseconds: number): void
  /** From now on a handler writes those numbers, unless the lock is held. */
  startLooking(lock: NativeHandle<'lock'>, pool: Float64Array, microseconds: number): void
  /** Ends it. Returns how often the handler has written, and how often it has left the pool alone. */
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
