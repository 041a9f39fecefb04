/** The packed package has everything that a user needs, and nothing else. */
import { execFile, execFileSync } from 'node:child_process'
import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const WANTED = [
  /^(CHANGELOG|README)\.md$|^LICENSE$|^package\.json$/,
  /^dist\/lib\/([a-z-]+\/)*[a-z-]+(\.generated)?(\.d\.ts|\.js)$/,
  /^docs\/([a-z-]+\/)*(\d{4}-)?[A-Za-z-]+\.md$/,
  /^native\/(binding|capi|core|include|platform)\/([a-z-]+\/)*\w+\.(cc|h)$/,
  /^native\/(binding\.gyp|join\.cjs|sources\.json)$/,
  /^prebuilds\/(linux-(x64|arm64)\/threadsafe\.(glibc|musl)|(darwin-(x64|arm64)|win32-x64)\/threadsafe)\.node$/,
  /^lib\/redis\/scripts\/[a-z]+\.lua$/,
  /^scripts\/build\.mjs$/,
]
/**
 * The most bytes when unpacked, a quarter more than there are. Half of a prebuild for macOS is
 * zeros: its format must store the tables that copies of the package share.
 */
const BOUNDS = { rest: 1_700_000, prebuild: 1_500_000 }

describe('the packed package', () => {
  let files: { path: string; size: number }[]

  before(async () => {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT })
    const packed = JSON.parse(stdout) as [{ files: typeof files }]
    files = packed[0].files
  })

  it('holds nothing but what a user needs', () => {
    const paths = files.map(({ path }) => path)
    assert.deepEqual(
      paths.filter((path) => !WANTED.some((pattern) => pattern.test(path))),
      [],
    )
  })

  it('holds what is needed to build the addon from source', () => {
    const paths = new Set(files.map(({ path }) => path))
    const sources = JSON.parse(readFileSync(join(ROOT, 'native/sources.json'), 'utf8')) as Record<string, string[]>
    const needed = [
      'native/binding.gyp',
      'native/join.cjs',
      'native/sources.json',
      'native/include/threadsafe.h',
      'scripts/build.mjs',
      ...Object.values(sources).flat(),
    ]
    assert.deepEqual(
      needed.filter((path) => !paths.has(path)),
      [],
    )
  })

  it('has no script that runs when it is installed', () => {
    const { scripts, gypfile } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object; gypfile: unknown }
    // npm does not run `prepare` of a tarball, but warns about it.
    const run = ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => name in scripts)
    assert.deepEqual(run, [])
    assert.equal(gypfile, false)
    // Yarn 1 would compile it, whatever package.json says.
    assert.ok(!files.some(({ path }) => path === 'binding.gyp'))
  })

  it('refers to no source maps, as it has none', () => {
    const scripts = files.filter(({ path }) => path.endsWith('.js'))
    const mapped = scripts.filter(({ path }) => readFileSync(join(ROOT, path), 'utf8').includes('sourceMappingURL='))
    assert.deepEqual(mapped, [])
  })

  it('is few files to a thread that imports it, as each takes time', () => {
    const imported = new Set<string>()
    const follow = (path: string): void => {
      if (imported.has(path)) return
      imported.add(path)
      const text = readFileSync(path, 'utf8')
      for (const [, name] of text.matchAll(/^(?:import|export) (?:[^']* from )?'(\.[^']*)';$/gm))
        follow(join(dirname(path), name as string))
    }
    follow(join(ROOT, 'dist/lib/index.js'))
    assert.deepEqual(
      [...imported].map((path) => path.slice(ROOT.length)),
      ['dist/lib/index.js', 'dist/lib/common.js', 'dist/lib/core.js'],
    )
  })

  it('loads the addon for queues of this process alone', () => {
    const load = (name: string) =>
      execFileSync(
        process.execPath,
        ['--input-type=module', '--eval', `await import('${name}'); console.log(process.report.getReport().sharedObjects.join('\\n'))`],
        { cwd: ROOT, encoding: 'utf8' },
      )
    assert.match(load('threadsafe'), /threadsafe[^/]*\.node$/m)
    assert.doesNotMatch(load('threadsafe/redis'), /threadsafe[^/]*\.node$/m)
  })

  it('is not large', () => {
    const prebuilds = files.filter(({ path }) => path.startsWith('prebuilds/'))
    const rest = files.filter((file) => !prebuilds.includes(file)).reduce((sum, { size }) => sum + size, 0)
    assert.ok(rest < BOUNDS.rest, `${rest} bytes beside the prebuilds`)
    for (const { path, size } of prebuilds) assert.ok(size < BOUNDS.prebuild, `${path} has ${size} bytes`)
  })
})
