/** Finds the addon and loads it, or says what to do when that fails. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { packageRoot } from '../package-root.js'

const here = `${process.platform}-${process.arch}`

interface Binary {
  /** Named as in `process.platform` and `process.arch`; undefined if unknown. */
  readonly system: string | undefined
  /** Whether the file ends before its header says that it should. */
  readonly truncated: boolean
}

const ELF_MACHINES: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64', 258: 'loong64' }
const MACH_MACHINES: Readonly<Record<number, string>> = { 0x01000007: 'x64', 0x0100000c: 'arm64' }
const PE_MACHINES: Readonly<Record<number, string>> = { 0x14c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' }

function system(platform: string, arch: string | undefined): string | undefined {
  return arch === undefined ? undefined : `${platform}-${arch}`
}

/** The platform and architecture that the file's header names. */
function readHeader(file: string): Binary {
  const header = Buffer.alloc(4096)
  const descriptor = openSync(file, 'r')
  let length: number
  let size: number
  try {
    length = readSync(descriptor, header, 0, header.length, 0)
    size = fstatSync(descriptor).size
  } finally {
    closeSync(descriptor)
  }
  const unknown = { system: undefined, truncated: length < 64 }
  if (unknown.truncated) return unknown
  if (header.readUInt32BE(0) === 0x7f454c46) {
    // Little-endian, 64 bits; the table of sections is the last thing in the file.
    if (header.readUInt16BE(4) !== 0x0201) return unknown
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60)
    // The header does not say which of the systems that use this format the file is for.
    const platform = ['darwin', 'win32'].includes(process.platform) ? 'linux' : process.platform
    return { system: system(platform, ELF_MACHINES[header.readUInt16LE(18)]), truncated: size < end }
  }
  if (header.readUInt32LE(0) === 0xfeedfacf) return { system: system('darwin', MACH_MACHINES[header.readUInt32LE(4)]), truncated: false }
  if (header.toString('latin1', 0, 2) === 'MZ') {
    const at = header.readUInt32LE(60)
    return { system: at + 6 <= length ? system('win32', PE_MACHINES[header.readUInt16LE(at + 4)]) : undefined, truncated: false }
  }
  return unknown
}

type Libc = 'glibc' | 'musl'

function libcOfFile(file: string): Libc | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return undefined
  }
  if (bytes.includes('\0libc.so.6\0')) return 'glibc'
  return bytes.includes('\0libc.so\0') || bytes.includes('\0libc.musl-') ? 'musl' : undefined
}

function libcOfProcess(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

function buildCommand(): string {
  const script = join(packageRoot, 'scripts/build.mjs')
  return `node ${script.includes(' ') ? JSON.stringify(script) : script}`
}

function missing(cause: unknown): Error {
  const prebuilds = join(packageRoot, 'prebuilds')
  let names: string[] = []
  try {
    names = readdirSync(prebuilds).flatMap((directory) => readdirSync(join(prebuilds, directory)).map((name) => `${directory}/${name}`))
  } catch {
    // There are no prebuilds, as in a clone.
  }
  const libc = libcOfProcess()
  return new Error(
    `threadsafe: there is no prebuilt addon for ${here}${libc ? ` with ${libc}` : ''}, ` +
      `${names.length > 0 ? `only ${names.join(', ')}` : `nor any other in ${prebuilds}`}. ` +
      `Build it from source, with a C++20 compiler, make and python3: ${buildCommand()}`,
    { cause },
  )
}

/**
 * The error that says why that file can't be loaded, and what to do. `cause` is the error of
 * loading it, if there was one.
 */
function unloadable(file: string, header: Binary, cause?: unknown): Error {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string }
  const tell = (problem: string) => new Error(`threadsafe: ${problem}`, { cause })
  if (code === 'ERR_DLOPEN_DISABLED') {
    return tell(
      'this process may not load addons, and the package is one. Run Node without --no-addons, and where it has --permission, with --allow-addons as well.',
    )
  }
  const built = file.startsWith(join(packageRoot, 'build') + sep)
  const again = built ? `Build it here: ${buildCommand()}` : 'Install the package again'
  if (header.truncated) return tell(`${file} is incomplete. ${again}`)
  if (header.system !== undefined && header.system !== here) {
    return tell(`${file} is for ${header.system}, and this is ${here}, as happens when node_modules is copied between machines. ${again}`)
  }
  const [ofFile, ofProcess] = [libcOfFile(file), libcOfProcess()]
  if (ofFile !== undefined && ofProcess !== undefined && ofFile !== ofProcess) {
    const remedy = built ? again : `Set the environment variable LIBC=${ofProcess}`
    return tell(`${file} is for ${ofFile}, and this system has ${ofProcess}. ${remedy}`)
  }
  const newer = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/.exec(message ?? '')
  if (newer) return tell(`${file} needs ${newer[1]}, which is newer than what this system has. Build it here: ${buildCommand()}`)
  return tell(`${file} could not be loaded (${message}); it may be damaged. ${again}`)
}

export function loadAddon(): unknown {
  const require = createRequire(import.meta.url)
  const nodeGypBuild = require('node-gyp-build') as { path(directory: string): string }
  let file: string
  try {
    file = nodeGypBuild.path(packageRoot)
  } catch (cause) {
    throw missing(cause)
  }
  let header: Binary = { system: undefined, truncated: false }
  try {
    header = readHeader(file)
    // The dynamic linker would map pages that the file does not have, and the process would die of
    // SIGBUS.
    if (!header.truncated) return require(file)
  } catch (cause) {
    throw unloadable(file, header, cause)
  }
  throw unloadable(file, header)
}
