/** A loader that makes the package count its branches, and give up sooner. */

/** The file that has the modules of lib/, but for those of Redis; see scripts/bundle.mjs. */
const INSTRUMENTED = '/dist/lib/core.js'

let withCounters: ((url: string, source: string) => string) | undefined

/** A hook for `register()` of node:module. `counts` says whether branches are counted. */
export async function initialize(counts: boolean): Promise<void> {
  if (counts) ({ withCounters } = await import('./branches.js'))
}

/** A write to damaged memory gives up after 5 s, which is too long for thousands of them. */
function hurried(source: string): string {
  const quick = source.replace('const PATIENCE = 5000', 'const PATIENCE = 5')
  if (quick === source) throw new Error('lib/shared/versions.ts has no PATIENCE of 5000 ms any more')
  return quick
}

interface Loaded {
  format: string
  source: string | Uint8Array
}

/** The hook that changes a module's source as it is loaded. */
export async function load(url: string, context: object, nextLoad: (url: string, context: object) => Promise<Loaded>): Promise<Loaded> {
  const loaded = await nextLoad(url, context)
  if (!url.endsWith(INSTRUMENTED)) return loaded
  const source = hurried(String(loaded.source))
  return { ...loaded, source: withCounters?.(url, source) ?? source }
}
