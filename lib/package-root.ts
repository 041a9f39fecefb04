/** Finds the package's directory, which has what is no JavaScript: the addon, headers, scripts. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The name in the first package.json from that directory upwards. */
function nameOfPackage(directory: string): { name: unknown; root: string } {
  try {
    const { name } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { name?: unknown }
    return { name, root: directory }
  } catch (error) {
    const parent = dirname(directory)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === directory) throw error
    return nameOfPackage(parent)
  }
}

/** A bundler takes this module out of the package, and leaves the addon behind. */
function findPackage(): string {
  // Bundlers that write CommonJS leave it undefined. `new URL(path, import.meta.url)` would make
  // webpack look for an asset.
  const url = import.meta.url as string | undefined
  let cause: unknown
  try {
    const { name, root } = nameOfPackage(dirname(fileURLToPath(url ?? '')))
    if (name === 'threadsafe') return root
    cause = new Error(`${root} is another package`)
  } catch (error) {
    cause = error
  }
  throw new Error(
    'threadsafe: this module is not in its package any more, so it seems to have been bundled, and its addon was left behind. ' +
      "Make the package external and install it beside the bundle. esbuild: external: ['threadsafe']; Rollup: external: [/^threadsafe/]; " +
      "webpack: externals: { threadsafe: 'import threadsafe', 'threadsafe/redis': 'import threadsafe/redis' }. " +
      'See docs/install.md of the package.',
    { cause },
  )
}

export const packageRoot = findPackage()
