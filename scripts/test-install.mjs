// Installs the packed package as users do, by the commands in the documents: with each package
// manager in its default settings, in new directories, where no compiler and no python are on the
// PATH. An install must end with status 0 and without a warning. Then runs what the documents begin
// with, and loads the package with each version of Node and with Bun. At last the addon is built
// from source in an installed package. Prints a table, and "N passed, N failed" last.
//
// Arguments: names of package managers, to try those alone. `--all` does the same where there is a
// compiler as well, which nobody must then use; it runs the documents' programs on each runtime,
// and builds from source on each Node.
//
// Needs the prebuilds. Package managers, Nodes and Bun are installed from npm into build/install.
// Linux.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { BUILD, firstCommands, MANAGERS as DOCUMENTED, PROGRAMS } from './installed-documents.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'build/install')
const bunPackage = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`

const NODES = ['20.19.0', '22', '24', '26']
/** Package managers run on this one, as npm 12 and pnpm 12 are too new for the oldest. */
const NODE_OF_MANAGERS = '24'
/** The names are those in docs/install.md. `file` is what the command in question runs. */
const MANAGERS = [
  { name: 'npm 11', command: 'npm', package: 'npm@11', file: 'npm/bin/npm-cli.js' },
  { name: 'npm 12', command: 'npm', package: 'npm@12', file: 'npm/bin/npm-cli.js' },
  { name: 'pnpm 12', command: 'pnpm', package: 'pnpm@12.4.2', file: 'pnpm/bin/pnpm.mjs' },
  { name: 'yarn 1', command: 'yarn', package: 'yarn@1.22.22', file: 'yarn/bin/yarn.js' },
  { name: 'yarn 4', command: 'yarn', package: '@yarnpkg/cli-dist@4.18.1', file: '@yarnpkg/cli-dist/bin/yarn.js', bun: false },
  { name: 'Bun 1.4', command: 'bun', package: `${bunPackage}@1.4.5`, file: `${bunPackage}/bin/bun`, binary: true },
]
const WARNING = /\bwarn(ing)?\b|deprecat|\bblocked\b|ignored|not (run|executed)|\berror\b|YN000[1-9]/i

/**
 * The commands that a shell script or a package manager may need. No compiler, no make, no python.
 */
const COMMANDS = ['sh', 'bash', 'env', 'basename', 'cat', 'dirname', 'ls', 'mkdir', 'readlink', 'rm', 'sed', 'tar', 'uname', 'which']

function run(command, args, options) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000, ...options })
  return { ok: status === 0, output: `${stdout}${stderr}${error ?? ''}${signal ? `ended by ${signal}` : ''}` }
}

function must({ ok, output }) {
  if (!ok) throw new Error(output)
  return output
}

/** Installs an npm package in a directory of its own, once. */
function fetched(specification) {
  const directory = join(home, 'tools', specification.replaceAll('/', '+'))
  if (!existsSync(join(directory, 'node_modules'))) {
    mkdirSync(directory, { recursive: true })
    must(run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', directory, specification]))
  }
  return join(directory, 'node_modules')
}

/** A directory for the PATH, with that node, the package managers and the commands above. */
function binaries(node, managers) {
  const directory = mkdtempSync(join(work, 'bin-'))
  symlinkSync(node, join(directory, 'node'))
  for (const { command, binary, file, package: specification } of managers) {
    const target = join(fetched(specification), file)
    if (binary) symlinkSync(target, join(directory, command))
    else writeFileSync(join(directory, command), `#!/bin/sh\nexec '${nodes.get(NODE_OF_MANAGERS)}' '${target}' "$@"\n`, { mode: 0o755 })
  }
  for (const command of COMMANDS) {
    const found = process.env.PATH.split(delimiter)
      .map((entry) => join(entry, command))
      .find((file) => existsSync(file))
    if (found) symlinkSync(found, join(directory, command))
  }
  return directory
}

/** The environment for a run: none of this user's settings, but a registry that has the package. */
function environment() {
  const kept = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|yarn_|bun_|pnpm_|PREBUILDS_ONLY|CI$|CXX|CC)/i.test(name)),
  )
  const user = mkdtempSync(join(work, 'home-'))
  writeFileSync(join(user, '.npmrc'), `registry=${registry}\n`)
  writeFileSync(join(user, '.yarnrc.yml'), `npmRegistryServer: '${registry}'\nunsafeHttpWhitelist: ['127.0.0.1']\nenableTelemetry: false\n`)
  return {
    ...kept,
    HOME: user,
    XDG_CACHE_HOME: join(user, '.cache'),
    XDG_CONFIG_HOME: join(user, '.config'),
    XDG_DATA_HOME: join(user, '.local/share'),
  }
}

/** A line of a document, as a reader would type it. */
function type(line, { directory, env }, options) {
  return run('sh', ['-c', line], { cwd: directory, env, ...options })
}

const work = mkdtempSync(join(tmpdir(), 'threadsafe-install-'))
const nodes = new Map(
  NODES.map((version) => [version, join(fetched(`node-linux-${process.arch}@${version}`), `node-linux-${process.arch}/bin/node`)]),
)
const rows = []
let registry
let passed = 0
let failed = 0

/** Counts a result, prints what failed, and returns its cell of the table. */
function cell(what, ok, output) {
  if (ok) passed++
  else {
    failed++
    console.log(`FAILED  ${what}\n${output}\n`)
  }
  return ok ? 'ok' : 'FAILED'
}

/**
 * Follows the README in a new directory, up to its first program. Its path has spaces, which must
 * not matter.
 */
function install(manager, compiler) {
  const name = compiler ? `${manager.name} with a compiler` : manager.name
  const { add, run: words } = DOCUMENTED.get(manager.name)
  // npm comes with Node, so it is there for all. Of two with the same name, the first is on the
  // PATH.
  const managers = [manager, ...(manager.command === 'npm' ? [] : [MANAGERS[0]])]
  const paths = new Map(
    [...nodes].map(([version, node]) => [version, binaries(node, managers) + (compiler ? delimiter + process.env.PATH : '')]),
  )
  const env = { ...environment(), PATH: paths.get(NODE_OF_MANAGERS) }
  const installed = { manager, name, words, paths, env, directory: mkdtempSync(join(work, `${name} `)), row: { name } }
  const outputs = firstCommands(add).map((line) => ({ line, ...type(line, installed) }))
  const ok = outputs.every(({ line, ok, output }) => ok && (line !== add || !WARNING.test(output)))
  installed.row.install = cell(`${name}: install`, ok, outputs.map(({ output }) => output).join('\n'))
  cpSync(join(root, 'test/install'), installed.directory, { recursive: true })
  for (const { files } of PROGRAMS) for (const [file, text] of files) writeFileSync(join(installed.directory, file), text)
  rows.push(installed.row)
  return installed
}

/** Runs programs in that directory; all must print what they should, and nothing else. */
function runAll(what, programs, words, place) {
  const results = programs.map(({ main, output }) => {
    const result = type([...words, main].join(' '), place, { timeout: 60_000 })
    return { ok: result.ok && result.output === output, output: `${main}: ${result.output}` }
  })
  return cell(
    what,
    results.every(({ ok }) => ok),
    results.map(({ output }) => output).join('\n'),
  )
}

const LOADED = ['esm.mjs', 'commonjs.cjs'].map((main) => ({ main, output: 'works\n' }))

/** Loads the package with each runtime. The documents' programs run on one, or on all. */
function tryRuntimes({ manager, name, words, paths, env, directory, row }, all) {
  const own = words[0] === 'bun' ? ['node'] : words
  for (const [version, path] of paths) {
    const programs = all ? [...LOADED, ...PROGRAMS] : LOADED
    row[`Node ${version}`] = runAll(`${name}: Node ${version}`, programs, own, { directory, env: { ...env, PATH: path } })
  }
  if (manager.bun === false) row.Bun = 'no PnP'
  else {
    const path = binaries(nodes.get(NODE_OF_MANAGERS), MANAGERS.slice(-1))
    const place = { directory, env: { ...env, PATH: `${path}${delimiter}${env.PATH}` } }
    row.Bun = runAll(`${name}: Bun`, all ? [...LOADED, ...PROGRAMS] : LOADED, ['bun'], place)
  }
  if (!all) row.documents = runAll(`${name}: the documents' programs`, PROGRAMS, words, { directory, env })
}

/** Nobody may have compiled anything: there is a prebuild. */
function checkNothingBuilt({ name, directory }) {
  const built = readdirSync(directory, { recursive: true }).filter((file) => /threadsafe\/build\/|\.o$/.test(file))
  cell(`${name}: nothing is compiled`, built.length === 0, built.join('\n'))
}

/** Where nothing can be compiled, the command of docs/install.md says what is missing. */
function tryBuildingInVain(installed) {
  const { ok, output } = type(BUILD, installed)
  cell('from source, without a compiler', !ok && /^threadsafe: .*C\+\+20 compiler, make and python3.*\n$/.test(output), output)
}

function tryBuilding({ directory, env, paths }, version) {
  const module = join(directory, 'node_modules/threadsafe')
  const place = { directory, env: { ...env, PATH: `${paths.get(version)}${delimiter}${process.env.PATH}` } }
  rmSync(join(module, 'build'), { recursive: true, force: true })
  const { ok, output } = type(BUILD, place, { timeout: 600_000 })
  cell(`from source on Node ${version}`, ok && existsSync(join(module, 'build')) && !/\bwarning:/.test(output), output)
  rmSync(join(module, 'prebuilds'), { recursive: true, force: true })
  runAll(`from source on Node ${version}: it loads`, [...LOADED, ...PROGRAMS], ['node'], place)
}

/** Packs the package, and starts a registry that has it. Resolves to that worker. */
async function startRegistry() {
  const upstream = must(run('npm', ['config', 'get', 'registry'])).trim()
  const [{ filename }] = JSON.parse(must(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work], { cwd: root })))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const worker = new Worker(new URL('./test-registry.mjs', import.meta.url), {
    workerData: { manifest, tarball: join(work, filename), upstream },
  })
  ;[registry] = await once(worker, 'message')
  return worker
}

function checkDocumented() {
  const [tried, documented] = [MANAGERS.map(({ name }) => name), [...DOCUMENTED.keys()]].map((names) => names.join(', '))
  cell('docs/install.md has all package managers', tried === documented, `tried are ${tried}; docs/install.md has ${documented}`)
}

const all = process.argv.includes('--all')
const wanted = process.argv.slice(2).filter((argument) => argument !== '--all')
const unknown = wanted.filter((name) => !MANAGERS.some((manager) => manager.name === name))
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${MANAGERS.map(({ name }) => name).join(', ')}`)

try {
  const worker = await startRegistry()
  checkDocumented()
  const chosen = MANAGERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  const installed = chosen.map((manager) => install(manager, false))
  for (const one of installed) tryRuntimes(one, all)
  if (all) {
    for (const manager of chosen) {
      const one = install(manager, true)
      tryRuntimes(one, all)
      checkNothingBuilt(one)
    }
  }
  tryBuildingInVain(installed[0])
  for (const version of all ? NODES : NODES.slice(0, 1)) tryBuilding(installed[0], version)
  await worker.terminate()
  console.table(Object.fromEntries(rows.map(({ name, ...cells }) => [name, cells])))
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
