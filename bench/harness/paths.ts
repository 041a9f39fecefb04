import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's own directory, seen from dist/bench/harness. */
export const root = fileURLToPath(new URL('../../..', import.meta.url))

export function versionOf(packageName: string): string {
  const file = packageName === 'threadsafe' ? join(root, 'package.json') : join(root, 'node_modules', packageName, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
