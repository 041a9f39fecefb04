// Reads the symbols of each prebuild, and checks that everything it needs exists on the oldest
// system that it supports. Prints the lowest and highest glibc version that each file asks for.
// Arguments are the names of targets, to check only those. Needs Debian's llvm-19, and musl, whose
// library shows what musl provides.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GLIBC, TARGETS } from './targets.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

const nm = process.env.NM ?? 'llvm-nm-19'
const readobj = process.env.READOBJ ?? 'llvm-readobj-19'
const MUSL = '/lib/ld-musl-x86_64.so.1'

const GLIBC_LIBRARIES = /^(libc\.so\.6|lib(pthread|m)\.so\.[06]|lib(dl)\.so\.2|librt\.so\.1|ld-linux-(x86-64\.so\.2|aarch64\.so\.1))$/
const WINDOWS_LIBRARIES = /^(KERNEL32|ntdll|msvcrt|api-ms-win-crt-[a-z]+-l1-1-0)(\.dll)?$/i
const FORMATS = {
  'linux-x64': 'elf64-x86-64',
  'linux-arm64': 'elf64-littleaarch64',
  'darwin-x64': 'Mach-O 64-bit x86-64',
  'darwin-arm64': 'Mach-O arm64',
  'win32-x64': 'COFF-x86-64',
}

const read = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' })
const lines = (text) => text.split('\n').filter(Boolean)
const version = (text) => text.split('.').map(Number)
const older = (a, b) => version(a)[0] - version(b)[0] || version(a)[1] - version(b)[1] || (version(a)[2] ?? 0) - (version(b)[2] ?? 0)

function check(condition, problem) {
  if (!condition) throw new Error(problem)
}

/** The Node-API functions of every Node version that the package supports, and libuv's. */
const nodeApi = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).binary.napi_versions[0]
const { js_native_api_symbols: ofJs, node_api_symbols: ofNode } = require('node-api-headers').symbols[`v${nodeApi}`]
const nodeSymbols = new Set([...ofJs, ...ofNode])
const isNode = (name) => nodeSymbols.has(name) || name.startsWith('uv_')

/**
 * Returns the symbols that other libraries must define, as [name, version] on Linux. Weak symbols
 * are left out, as they may stay undefined.
 */
function undefinedSymbols(path) {
  const symbols = lines(read(nm, '--dynamic', '--undefined-only', '--format=posix', path)).map((line) => line.split(' '))
  return symbols.filter(([, type]) => type === 'U').map(([symbol]) => symbol.split('@'))
}

function neededLibraries(path) {
  return read(readobj, '--needed-libs', path)
    .match(/NeededLibraries \[([^\]]*)\]/)[1]
    .trim()
    .split(/\s+/)
}

const strangers = (names) => names.filter((name) => !isNode(name))

function glibc(path) {
  const symbols = undefinedSymbols(path)
  const versions = [...new Set(symbols.flatMap(([, tag]) => (tag?.startsWith('GLIBC_') ? [tag.slice(6)] : [])))].sort(older)
  const others = strangers(symbols.filter(([, tag]) => tag === undefined).map(([name]) => name))
  check(others.length === 0, `nobody defines ${others.join(', ')}`)
  check(versions.length > 0, 'it asks for no version of glibc')
  check(older(versions.at(-1), GLIBC) <= 0, `it needs glibc ${versions.at(-1)}, and Node ${GLIBC}`)
  const libraries = neededLibraries(path)
  const foreign = libraries.filter((name) => !GLIBC_LIBRARIES.test(name))
  check(foreign.length === 0, `it needs ${foreign.join(', ')}`)
  return `glibc ${versions[0]} to ${versions.at(-1)}`
}

function musl(path) {
  check(existsSync(MUSL), `${MUSL} is missing: install musl`)
  const there = new Set(lines(read(nm, '--dynamic', '--defined-only', '--format=just-symbols', MUSL)))
  const symbols = undefinedSymbols(path)
  const versioned = symbols.filter(([, tag]) => tag !== undefined)
  check(versioned.length === 0, `it asks for versions: ${versioned.map((symbol) => symbol.join('@')).join(', ')}`)
  const others = strangers(symbols.map(([name]) => name)).filter((name) => !there.has(name))
  check(others.length === 0, `musl has no ${others.join(', ')}`)
  const libraries = neededLibraries(path)
  check(libraries.join() === 'libc.so', `it needs ${libraries.join(', ')}, not libc.so alone`)
  return 'musl, no versions'
}

function darwin(path) {
  // Symbols that are looked up in any loaded library, by name alone, must be Node's.
  const symbols = [...read(nm, '--undefined-only', '--format=darwin', path).matchAll(/external _(\w+)( \(from \w+\))?$/gm)]
  const names = symbols.filter(([, , library]) => library === undefined).map(([, name]) => name)
  check(names.length > 0, 'it needs nothing of Node')
  const others = names.filter((name) => !isNode(name))
  check(others.length === 0, `nobody defines ${others.join(', ')}`)
  // The file's own name is among them.
  const libraries = neededLibraries(path).filter((name) => !name.endsWith('/threadsafe.node'))
  check(libraries.join() === '/usr/lib/libSystem.B.dylib', `it needs ${libraries.join(', ')}`)
  return `macOS ${read(readobj, '--macho-version-min', path).match(/Version: (\S+)/)[1]}`
}

function win32(path) {
  const imports = [...read(readobj, '--coff-imports', path).matchAll(/Import \{\s+Name: (\S+)([^}]*)\}/g)]
  for (const [, library, symbols] of imports) {
    const names = [...symbols.matchAll(/Symbol: (\w+)/g)].map(([, name]) => name)
    if (library === 'node.exe') check(names.every(isNode), `node.exe has no ${names.filter((name) => !isNode(name)).join(', ')}`)
    else check(WINDOWS_LIBRARIES.test(library), `it needs ${library}`)
  }
  const libraries = imports.map(([, library]) => library)
  check(libraries.includes('node.exe'), 'it imports nothing from node.exe')
  return `imports from ${libraries.filter((name) => !name.startsWith('api-ms-win-crt')).join(', ')}, the universal C runtime`
}

function checked({ platform, arch, libc, file }) {
  const path = join(root, file)
  check(existsSync(path), 'it is missing: run `npm run prebuilds`')
  const format = read(readobj, '--file-headers', path).match(/^Format: (.*)$/m)[1]
  check(format === FORMATS[`${platform}-${arch}`], `it is ${format}`)
  return { glibc, musl, darwin, win32 }[libc ?? platform](path)
}

const wanted = process.argv.slice(2)
for (const target of TARGETS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  let result
  try {
    result = checked(target)
  } catch (error) {
    result = `WRONG: ${error.message}`
    process.exitCode = 1
  }
  const path = join(root, target.file)
  const size = existsSync(path) ? `${Math.round(statSync(path).size / 1024)} KiB` : ''
  console.log(`${target.file.padEnd(48)}${size.padEnd(10)}${result}`)
}
