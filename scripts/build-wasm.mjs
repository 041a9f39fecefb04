// Builds the modules of native/wasm and writes them, inlined, to lib/addon/wasm.generated.ts. That
// file is committed, so that installing the package needs no clang. With --check it writes nothing,
// and fails if the committed file is out of date.
//
// Needs clang++, wasm-ld, llvm-objdump and libc++ for wasm32, which are Debian's clang-19, lld-19,
// llvm-19 and libc++-19-dev-wasm32. CLANG and OBJDUMP name other programs.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = 'native/wasm'
const target = 'lib/addon/wasm.generated.ts'
const clang = process.env.CLANG ?? 'clang++-19'
const objdump = process.env.OBJDUMP ?? 'llvm-objdump-19'

const compiling = [
  '--target=wasm32-unknown-wasi',
  '-stdlib=libc++',
  '-std=c++20',
  '-O2',
  '-matomics',
  '-mbulk-memory',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-delete-null-pointer-checks',
  // Inlines everything, as verify() demands.
  '-mllvm',
  '-inline-threshold=100000',
  '-Wall',
  '-Wextra',
  '-Werror',
]

const linking = [
  '--target=wasm32-unknown-wasi',
  '-nostdlib',
  '-Wl,--no-entry',
  '-Wl,--import-memory',
  '-Wl,--shared-memory',
  '-Wl,--initial-memory=65536',
  '-Wl,--max-memory=4294967296',
  '-Wl,-z,stack-size=0',
  '-Wl,--strip-all',
]

// Each row has the types of element, parameter and result.
const cells = {
  int8: ['std::int8_t', 'int', 'double'],
  uint8: ['std::uint8_t', 'int', 'double'],
  int16: ['std::int16_t', 'int', 'double'],
  uint16: ['std::uint16_t', 'int', 'double'],
  int32: ['std::int32_t', 'int', 'double'],
  uint32: ['std::uint32_t', 'int', 'double'],
  // biguint64 uses this as well, as WebAssembly's 64-bit integers have no sign.
  bigint64: ['std::int64_t', 'std::int64_t', 'std::int64_t'],
  float32: ['float', 'float', 'double'],
  float64: ['double', 'double', 'double'],
}

const modules = {
  event: ['event.cc'],
  lock: ['lock.cc'],
  pool: ['pool.cc'],
  message: ['message.cc'],
  record: ['record.cc'],
  ...Object.fromEntries(
    Object.entries(cells).map(([type, [element, parameter, result]]) => {
      return [type, ['cells.cc', `-DELEMENT=${element}`, `-DPARAMETER=${parameter}`, `-DRESULT=${result}`]]
    }),
  ),
}

// Exports, and whole modules, that claim nothing, as each of their changes is a single exchange.
const claimless = new Set(['event', 'lock', 'pool.pass', 'pool.take'])

const functionSection = 3
const dataSection = 11

// Returns a number in LEB128, and the position behind it.
function numberAt(bytes, at) {
  let value = 0
  for (let shift = 0, more = true; more; shift += 7) {
    const byte = bytes[at++]
    value += (byte & 0x7f) * 2 ** shift
    more = (byte & 0x80) !== 0
  }
  return [value, at]
}

// Returns a module's sections by id. A section begins with its id, one byte, and its length.
function sectionsOf(bytes) {
  const sections = new Map()
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at]
    const [length, start] = numberAt(bytes, at + 1)
    at = start + length
    sections.set(id, bytes.subarray(start, at))
  }
  return sections
}

// V8 can stop a thread's code at the beginning of a function, in loops, and at the end of a
// function that is not optimized yet. So none of these may lie between a claim and its publish.
// verify() sees to it that no function calls another, so what is claimed in one is published there.
function verifyClaims(name, file) {
  // In a pool an addition to the map gives a buffer back.
  const publishes = name === 'pool' ? /i64\.atomic\.(store|rmw\.add)/ : /i64\.atomic\.store/
  let claim
  let checked = true
  for (const line of execFileSync(objdump, ['-d', file], { encoding: 'utf8' }).split('\n')) {
    const [, entered] = /<(\w+)>:$/.exec(line) ?? []
    if (entered) {
      claim = undefined
      checked = !claimless.has(`${name}.${entered}`)
    }
    if (line.includes('i64.atomic.rmw.cmpxchg')) claim = checked ? line : undefined
    else if (publishes.test(line)) claim = undefined
    else if (claim && /\t(loop|call)/.test(line)) throw new Error(`${name}: between claim and publish there is${line}`)
  }
}

// The claim of a record is a bit taken from `free`. It ends when bits are given back.
function verifyBuffers(name, file) {
  let claimed
  let between = []
  for (const line of execFileSync(objdump, ['-d', file], { encoding: 'utf8' }).split('\n')) {
    if (/^[0-9a-f]+ </.test(line)) claimed = undefined
    else if (line.includes('i64.atomic.rmw.and')) claimed = line
    else if (claimed && line.includes('i64.atomic.rmw.or')) {
      if (between.length > 0) throw new Error(`${name}: between claim and give-back there is${between[0]}`)
    } else if (claimed && /\t(loop|call)/.test(line)) between.push(line)
    if (!claimed) between = []
  }
}

// The instances of all threads share one memory, so a module must own nothing in it. A stack or
// static data would be shared too.
function verify(name, object, bytes) {
  // An object file that uses the stack pointer imports it, for the linker to provide. It has a data
  // section even for data that is zero at first.
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(object)).map(({ name }) => name)
  if (imported.includes('__stack_pointer')) throw new Error(`${name}: some function needs a stack in memory`)
  const sections = sectionsOf(bytes)
  if (sectionsOf(object).has(dataSection) || sections.has(dataSection)) throw new Error(`${name}: there is static data`)
  const module = new WebAssembly.Module(bytes)
  const needed = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`)
  if (needed.sort().join() !== 'env.memory,host.wake') throw new Error(`${name}: imports ${needed}, not memory and wake alone`)
  const [functions] = numberAt(sections.get(functionSection), 0)
  const exports = WebAssembly.Module.exports(module).length
  if (functions !== exports) throw new Error(`${name}: ${functions} functions for ${exports} exports, so one calls another`)
}

function build(name) {
  const directory = mkdtempSync(join(tmpdir(), 'threadsafe-wasm-'))
  const run = (...args) => execFileSync(clang, args, { cwd: root, stdio: 'inherit' })
  const [source, ...definitions] = modules[name]
  try {
    const object = join(directory, 'module.o')
    const module = join(directory, 'module.wasm')
    run(...compiling, ...definitions, '-c', `${sources}/${source}`, '-o', object)
    run(...linking, object, '-o', module)
    const bytes = readFileSync(module)
    verify(name, readFileSync(object), bytes)
    if (name === 'record') verifyBuffers(name, module)
    else if (!claimless.has(name)) verifyClaims(name, module)
    return bytes
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function typescript() {
  const lines = (bytes) =>
    bytes
      .toString('base64')
      .match(/.{1,120}/g)
      .map((line) => `    '${line}'`)
      .join(' +\n')
  const entries = Object.keys(modules).map((name) => {
    const bytes = build(name)
    return `  // ${bytes.length} bytes\n  ${name}:\n${lines(bytes)},`
  })
  return [`// Generated by \`npm run wasm\` from ${sources}, do not edit.`, 'export const wasm = {', ...entries, '}', ''].join('\n')
}

function committed() {
  try {
    return readFileSync(join(root, target), 'utf8')
  } catch {
    return ''
  }
}

const text = typescript()
if (!process.argv.includes('--check')) {
  writeFileSync(join(root, target), text)
} else if (text !== committed()) {
  console.error(`${target} is not what ${sources} gives. Run \`npm run wasm\` and commit the result.`)
  process.exitCode = 1
}
