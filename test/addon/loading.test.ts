/**
 * If the addon can't be loaded, the message names the cause and says what to do. Each test runs a
 * copy of the package in a process of its own.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { strict as assert } from 'node:assert'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const HERE = `${process.platform}-${process.arch}`
const OTHER = process.arch === 'x64' ? { arch: 'arm64', machine: 183 } : { arch: 'x64', machine: 62 }

/** Returns the file of the addon that this process uses. */
function addon(): Buffer {
  const built = join(ROOT, 'build/Release/threadsafe.node')
  const prebuilt = join(ROOT, `prebuilds/${HERE}/threadsafe.glibc.node`)
  return readFileSync(existsSync(built) && !process.env.PREBUILDS_ONLY ? built : prebuilt)
}

/** Returns a copy in which `to`, which is as long, replaces each `from`. */
function replaced(bytes: Buffer, from: string, to: string): Buffer {
  assert.equal(from.length, to.length)
  assert.ok(bytes.includes(from), `the addon has no ${JSON.stringify(from)}`)
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')
}

describe('loading the addon', () => {
  let directory: string
  let home: string

  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-loading-'))
    home = copyPackage(directory)
  })

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  function copyPackage(parent: string): string {
    const copy = join(parent, 'node_modules/threadsafe')
    cpSync(join(ROOT, 'dist/lib'), join(copy, 'dist/lib'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'))
    symlinkSync(join(ROOT, 'node_modules/node-gyp-build'), join(parent, 'node_modules/node-gyp-build'))
    return copy
  }

  function write(path: string, bytes: Buffer | string): void {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), bytes)
  }

  function load(...options: string[]): SpawnSyncReturns<string> {
    const env = { ...process.env }
    delete env.PREBUILDS_ONLY
    const entry = JSON.stringify(join(home, 'dist/lib/index.js'))
    const script = `import(${entry}).then(() => console.log('loaded'), ({ message }) => console.log(message))`
    return spawnSync(process.execPath, [...options, '--eval', script], { encoding: 'utf8', timeout: 30_000, env })
  }

  /** Returns the message of a process that fails to load the addon and then ends by itself. */
  function message(...options: string[]): string {
    const { status, signal, stdout, stderr } = load(...options)
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr)
    return stdout
  }

  const built = 'build/Release/threadsafe.node'
  const prebuilt = `prebuilds/${HERE}/threadsafe.glibc.node`

  it('takes the addon that was built, or else the prebuild', () => {
    write(prebuilt, addon())
    assert.equal(message(), 'loaded\n')
    write(built, 'not an addon')
    assert.match(message(), new RegExp(`${built} `))
  })

  it('fails without a prebuild for this platform', () => {
    write('prebuilds/plan9-mips/threadsafe.node', 'x')
    const text = message()
    assert.match(text, new RegExp(`no prebuilt addon for ${HERE} with \\w+, only plan9-mips/threadsafe.node`))
    assert.match(text, new RegExp(`a C\\+\\+20 compiler, make and python3: node ${home}/scripts/build.mjs`))
  })

  it('fails in a clone that has not been built, in a directory with a space in its name', () => {
    home = copyPackage(join(directory, 'two words'))
    const text = message()
    assert.match(text, /no prebuilt addon for .* nor any other in /)
    assert.ok(text.includes(`node ${JSON.stringify(join(home, 'scripts/build.mjs'))}`), text)
  })

  it('refuses a truncated file', () => {
    const bytes = addon()
    for (const length of [0, 20, 100, 5000, bytes.length >> 1, bytes.length - 1]) {
      write(prebuilt, bytes.subarray(0, length))
      assert.match(message(), /threadsafe\.glibc\.node is incomplete\. Install the package again/, `${length} bytes`)
    }
    write(built, bytes.subarray(0, 5000))
    assert.match(message(), /build\/Release\/threadsafe\.node is incomplete\. Build it here: node .*scripts\/build\.mjs/)
  })

  it('refuses a damaged file', () => {
    write(prebuilt, Buffer.alloc(100_000, 'garbage'))
    assert.match(
      message(),
      /threadsafe\.glibc\.node could not be loaded \(.*invalid ELF header\); it may be damaged\. Install the package again/,
    )
  })

  it('refuses an addon for another processor', () => {
    const bytes = addon()
    bytes.writeUInt16LE(OTHER.machine, 18)
    write(built, bytes)
    assert.match(message(), new RegExp(`is for linux-${OTHER.arch}, and this is ${HERE}, .*Build it here: node `))
  })

  it('refuses an addon for another system', () => {
    const mach = Buffer.alloc(4096)
    mach.writeUInt32LE(0xfeedfacf, 0)
    mach.writeUInt32LE(0x0100000c, 4)
    write(prebuilt, mach)
    assert.match(message(), /is for darwin-arm64, and this is /)
    const pe = Buffer.alloc(4096)
    pe.write('MZ', 0)
    pe.writeUInt32LE(0x80, 60)
    pe.write('PE\0\0', 0x80)
    pe.writeUInt16LE(0x8664, 0x84)
    write(prebuilt, pe)
    assert.match(message(), /is for win32-x64, and this is /)
  })

  it('refuses an addon for musl on a system with glibc', function () {
    if (!('glibcVersionRuntime' in (process.report.getReport() as { header: object }).header)) this.skip()
    const bytes = replaced(addon(), '\0libc.so.6\0', '\0libc.so\0\0\0')
    write(prebuilt, bytes)
    assert.match(message(), /is for musl, and this system has glibc\. Set the environment variable LIBC=glibc/)
    write(built, bytes)
    assert.match(message(), /is for musl, and this system has glibc\. Build it here: node /)
  })

  it('refuses an addon that needs a newer glibc', function () {
    const bytes = addon()
    const versions = bytes.toString('latin1').match(/\0GLIBC_2\.\d\d(?=\0)/g)
    if (versions === null) this.skip()
    const [newest] = versions.sort().reverse() as [string]
    write(built, replaced(bytes, newest, newest.replace('2', '9')))
    assert.match(message(), /needs GLIBC_9\.\d\d, which is newer than what this system has\. Build it here: node /)
  })

  it('fails under --no-addons', () => {
    write(prebuilt, addon())
    assert.match(message('--no-addons'), /this process may not load addons.* without --no-addons/)
  })

  it('fails away from its package, as in a bundle', () => {
    const bundle = join(directory, 'app/bundle')
    cpSync(join(home, 'dist/lib'), bundle, { recursive: true })
    // Tries without a package two directories above, and with an unrelated one there.
    for (const manifest of [undefined, { name: 'app', type: 'module' }]) {
      writeFileSync(join(bundle, 'package.json'), JSON.stringify({ type: 'module' }))
      if (manifest) writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
      const script = `import(${JSON.stringify(join(bundle, 'index.js'))}).catch(({ message }) => console.log(message))`
      const { stdout } = spawnSync(process.execPath, ['--eval', script], { encoding: 'utf8' })
      assert.match(stdout, /seems to have been bundled.* external: \['threadsafe'\].*docs\/install\.md/)
    }
  })
})
