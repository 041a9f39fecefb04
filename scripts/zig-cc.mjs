// The compiler that gyp calls for a prebuild: Zig's clang, for the target in ZIG_TARGET. The first
// argument is cc or c++. gyp assumes that it builds for the Linux it runs on. So for other targets
// this drops the options that only Linux's linker takes, and adds those that they need. With
// ZIG_CHECK it only checks the code, and makes empty files. With ZIG_SYMBOLS it also links that
// file, which keeps its symbols. scripts/prebuilds.mjs sets the variables.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

const { ZIG, ZIG_TARGET, ZIG_LIBRARY, ZIG_CHECK, ZIG_SYMBOLS } = process.env
const [language, ...given] = process.argv.slice(2)

const ELF_ONLY = /^(-rdynamic|-pthread|-fPIC|-Wl,(-soname=|-z,|--start-group|--end-group|-rpath).*)$/
const links = !given.includes('-c')
// gyp asks for the predefined macros, to recognize a compiler for WebAssembly. Zig would leave a
// file behind, so this returns none.
if (given.includes('-E')) process.exit(0)
if (ZIG_CHECK) {
  writeFileSync(given[given.indexOf('-o') + 1], '')
  if (links) process.exit(0)
}

const args = ZIG_TARGET.includes('linux') ? given : given.filter((flag) => !ELF_ONLY.test(flag))
if (links) {
  if (ZIG_TARGET.includes('macos')) args.push('-Wl,-undefined,dynamic_lookup')
  if (ZIG_LIBRARY) args.push(ZIG_LIBRARY)
}
if (ZIG_CHECK) args.push('-fsyntax-only')

function run(args) {
  const { status, error, stderr } = spawnSync(ZIG, [language, '-target', ZIG_TARGET, ...args], {
    stdio: ['inherit', 'inherit', links ? 'pipe' : 'inherit'],
    encoding: 'utf8',
  })
  if (error) throw error
  // Warnings count as errors only when compiling. The first link for a target also builds the C
  // library, for which Zig gives its own assembler files flags for C.
  const output = (stderr ?? '').replace(/^zig: warning: argument unused during compilation: .*\n/gm, '')
  process.stderr.write(output)
  return /\bwarning:/.test(output) ? 1 : (status ?? 1)
}

// Strips here. Another system's `strip` would break the signature of an arm64 Mac's file later.
process.exitCode = run(links ? [...args, '-s'] : args)
if (links && ZIG_SYMBOLS && process.exitCode === 0) process.exitCode = run(args.with(args.indexOf('-o') + 1, ZIG_SYMBOLS))
