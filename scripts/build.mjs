// Builds the addon from source into build/Release, where the loader looks first. In a clone `npm
// ci` runs this. In an installed package, use the command in docs/install.md. Only what has changed
// is compiled.
//
// In package.json it is `postprepare`, which npm runs only in a clone. npm does not run `prepare`
// of a package that is installed from a tarball either, but warns about it.
//
// node-gyp and node-addon-api are development dependencies. If they are missing, as beside an
// installed package, npm fetches the versions that package.json names. Node's headers are taken
// from beside the running node, where most installations have them. Otherwise node-gyp downloads
// them.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 'building the addon needs a C++20 compiler, make and python3'

const root = fileURLToPath(new URL('..', import.meta.url))
const native = join(root, 'native')
const windows = process.platform === 'win32'

class BuildError extends Error {}

function onPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(resolve(directory, command)))
}

/** Returns the first of the commands that exists. */
function found(variable, ...commands) {
  const command = process.env[variable] ?? commands.find(onPath)
  if (command === undefined) throw new BuildError(`${NEEDED}; there is no ${commands.join(', no ')} on the PATH. See docs/install.md.`)
  return command
}

/**
 * Finds the compilers, or says in one line what is missing, for which node-gyp needs many. On
 * Windows node-gyp finds Visual Studio by itself.
 */
function compiler() {
  if (windows) return {}
  const CXX = found('CXX', 'g++', 'c++', 'clang++')
  found('MAKE', 'make', 'gmake')
  found('PYTHON', 'python3', 'python')
  const { status } = spawnSync(`${CXX} -std=c++20 -fsyntax-only -x c++ /dev/null`, { shell: true, stdio: 'ignore' })
  if (status !== 0) throw new BuildError(`${NEEDED}; ${CXX} does not take -std=c++20. Set CXX to another compiler.`)
  return { CXX }
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options })
  if (error) throw error
  return status === 0
}

/** Finds a tool in the version that package.json names, among the modules visible from `from`. */
function tool(name, version, from) {
  const require = createRequire(from)
  try {
    const manifest = require.resolve(`${name}/package.json`)
    return JSON.parse(readFileSync(manifest, 'utf8')).version.startsWith(`${version}.`) ? dirname(manifest) : undefined
  } catch {
    return undefined
  }
}

function tools(directory) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const versions = ['node-gyp', 'node-addon-api'].map((name) => [name, devDependencies[name]])
  const here = versions.map(([name, version]) => tool(name, version, join(root, 'package.json')))
  if (!here.includes(undefined)) return here
  const wanted = versions.map(([name, version]) => `${name}@${version}`)
  console.log(`threadsafe: fetching ${wanted.join(' and ')}`)
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--global=false']
  // Uses the shell, as npm is a script on Windows.
  if (!run(['npm install', ...options, ...wanted].join(' '), [], { cwd: directory, shell: true })) {
    throw new BuildError(`building the addon needs ${wanted.join(' and ')}, and npm could not fetch them; see above.`)
  }
  return versions.map(([name, version]) => tool(name, version, join(directory, 'package.json')))
}

function build(directory) {
  const { CXX } = compiler()
  const [nodeGyp, nodeAddonApi] = tools(directory)
  const env = { ...process.env, NODE_ADDON_API: nodeAddonApi }
  if (CXX) env.CXX = CXX
  const nodeDirectory = resolve(process.execPath, '../..')
  if (!env.npm_config_nodedir && existsSync(join(nodeDirectory, 'include/node/node_api.h'))) env.npm_config_nodedir = nodeDirectory
  const command = [join(nodeGyp, 'bin/node-gyp.js'), 'configure', 'build', '--release', '--jobs=max', '--loglevel=warn']
  if (!run(process.execPath, command, { cwd: native, env })) {
    throw new BuildError(`the addon could not be built; see above. Note that ${NEEDED}.`)
  }
  // Replaces the file instead of writing to it, as a process may have the old one mapped.
  const target = join(root, 'build/Release/threadsafe.node')
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(native, 'build/Release/threadsafe.node'), `${target}.new`)
  renameSync(`${target}.new`, target)
  console.log('threadsafe: built build/Release/threadsafe.node')
}

const temporary = mkdtempSync(join(tmpdir(), 'threadsafe-'))
try {
  build(temporary)
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`threadsafe: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
