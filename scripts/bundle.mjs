// Puts the modules that tsc has written to dist/lib into a few files: each file that a thread loads
// costs it half a millisecond, and every worker loads the package anew. The modules named below keep
// their files, which get their exports from the few, so that each module still exists once.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'

/** What package.json exports, and what a context's worker runs. */
const PUBLISHED = ['index', 'redis/index', 'shared/context-worker']

/** Internals that tests and benchmarks reach for. */
const INTERNAL = [
  'addon/native',
  'addon/space',
  'codec/block',
  'codec/hand',
  'codec/message',
  'codec/single',
  'codec/structured',
  'queue/object',
  'redis/client',
  'redis/opening',
  'shared/versions',
]

const root = fileURLToPath(new URL('../dist/lib', import.meta.url))
/** As Rollup names it. */
const pathOf = (name) => join(root, `${name}.js`)

const bundle = await rollup({
  input: Object.fromEntries([...PUBLISHED, ...INTERNAL].map((name) => [name, pathOf(name)])),
  external: /^(node:|node-gyp-build$)/,
  onwarn({ message }) {
    throw new Error(message)
  },
})
/** Adds to `paths` that module and all that it imports. */
function addWithImports(path, paths, getModuleInfo) {
  if (paths.has(path)) return
  paths.add(path)
  for (const imported of getModuleInfo(path).importedIds) if (imported.startsWith(root)) addWithImports(imported, paths, getModuleInfo)
}

const { output } = await bundle.generate({
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  minifyInternalExports: false,
  manualChunks(path, { getModuleInfo }) {
    const ofRedis = new Set()
    addWithImports(pathOf('redis/index'), ofRedis, getModuleInfo)
    if (path === pathOf('shared/context-worker')) return undefined
    // Rollup puts it into the first entry that is part of it.
    if (path.startsWith(join(root, 'redis') + sep)) return 'redis/client'
    // Apart, as queues on a server need no addon.
    return ofRedis.has(path) ? 'common' : 'core'
  },
})

for (const file of readdirSync(root, { recursive: true })) if (file.endsWith('.js')) rmSync(join(root, file))
for (const { fileName, code } of output) {
  mkdirSync(dirname(join(root, fileName)), { recursive: true })
  writeFileSync(join(root, fileName), code)
}
