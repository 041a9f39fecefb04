// Installs the packed package as users do: with each package manager in its default settings, in
// new directories, where no compiler and no python are on the PATH; then loads it with each version
// of Node and with Bun. An install must end with status 0 and without a warning. At last the addon
// is built from source in an installed package. Prints a table, and "N passed, N failed" last.
//
// Needs the prebuilds. Package managers, Nodes and Bun are installed from npm into build/install.
// Linux.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'build/install')
const bunPackage = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`

const NODES = ['20.19.0', '22', '24', '26']
/**
 * `add` has the arguments that add the tarball; `run` is the command that runs a script, if that is
 * more than `node`.
 */
const MANAGERS = [
  { name: 'npm 11', package: 'npm@11', script: 'npm/bin/npm-cli.js', add: ['install'] },
  { name: 'npm 12', package: 'npm@12', script: 'npm/bin/npm-cli.js', add: ['install'] },
  { name: 'pnpm 12', package: 'pnpm@12.4.2', script: 'pnpm/bin/pnpm.mjs', add: ['add'] },
  { name: 'yarn 1', package: 'yarn@1.22.22', script: 'yarn/bin/yarn.js', add: ['add'] },
  { name: 'yarn 4', package: '@yarnpkg/cli-dist@4.18.1', script: '@yarnpkg/cli-dist/bin/yarn.js', add: ['add'], run: ['node'], bun: false },
  { name: 'bun', package: `${bunPackage}@1.4.5`, binary: `${bunPackage}/bin/bun`, add: ['add'] },
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

/** A directory for the PATH, with that node and the commands above. */
function pathWith(node) {
  const directory = mkdtempSync(join(work, 'bin-'))
  symlinkSync(node, join(directory, 'node'))
  for (const command of COMMANDS) {
    const found = process.env.PATH.split(delimiter)
      .map((entry) => join(entry, command))
      .find((file) => existsSync(file))
    if (found) symlinkSync(found, join(directory, command))
  }
  return directory
}

/**
 * The environment for a run: none of this user's settings but the registry, as a machine may have a
 * mirror.
 */
function environment(path, registry) {
  const kept = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|yarn_|bun_|pnpm_|PREBUILDS_ONLY|CI$|CXX|CC)/i.test(name)),
  )
  const user = mkdtempSync(join(work, 'home-'))
  return {
    ...kept,
    HOME: user,
    XDG_CACHE_HOME: join(user, '.cache'),
    XDG_CONFIG_HOME: join(user, '.config'),
    XDG_DATA_HOME: join(user, '.local/share'),
    PATH: path,
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_ENABLE_TELEMETRY: '0',
  }
}

function project(name, tarball) {
  const directory = mkdtempSync(join(work, `${name.replace(' ', '-')}-`))
  const manifest = { name: 'consumer', version: '1.0.0', license: 'MIT', private: true }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  cpSync(join(root, 'test/install'), directory, { recursive: true })
  cpSync(tarball, join(directory, 'threadsafe.tgz'))
  return directory
}

const work = mkdtempSync(join(tmpdir(), 'threadsafe-install-'))
const rows = []
let passed = 0
let failed = 0

/** Prints one cell of the table. */
function cell(what, ok, output) {
  if (ok) passed++
  else {
    failed++
    console.log(`FAILED  ${what}\n${output}\n`)
  }
  return ok ? 'ok' : 'FAILED'
}

function load(runner, directory, env) {
  const results = ['esm.mjs', 'commonjs.cjs'].map((file) =>
    run(runner[0], [...runner.slice(1), file], { cwd: directory, env, timeout: 60_000 }),
  )
  return { ok: results.every(({ ok, output }) => ok && output === 'works\n'), output: results.map(({ output }) => output).join('') }
}

function tryManager(manager, nodes, bun, tarball, registry) {
  const modules = fetched(manager.package)
  // Each package manager runs on Node 24, as npm 12 and pnpm 12 are too new for the oldest.
  const env = environment(pathWith(nodes.get('24')), registry)
  const command = manager.binary ? [join(modules, manager.binary)] : [nodes.get('24'), join(modules, manager.script)]
  const directory = project(manager.name, tarball)
  if (manager.run) writeFileSync(join(directory, 'yarn.lock'), '')
  const { ok, output } = run(command[0], [...command.slice(1), ...manager.add, 'threadsafe@file:./threadsafe.tgz'], { cwd: directory, env })
  const row = { manager: manager.name, install: cell(`${manager.name}: install`, ok && !WARNING.test(output), output) }
  for (const [version, node] of nodes) {
    const own = { ...env, PATH: pathWith(node) }
    const runner = manager.run ? [...command, ...manager.run] : [node]
    const loaded = load(runner, directory, own)
    row[`Node ${version}`] = cell(`${manager.name}: Node ${version}`, loaded.ok, loaded.output)
  }
  if (manager.bun === false) {
    row.Bun = 'no PnP'
  } else {
    const loaded = load([bun], directory, env)
    row.Bun = cell(`${manager.name}: Bun`, loaded.ok, loaded.output)
  }
  rows.push(row)
  return { directory, env }
}

/** Runs the command that docs/install.md gives, first without a compiler. */
function tryBuilding({ directory, env }, registry) {
  const script = 'node_modules/threadsafe/scripts/build.mjs'
  const without = run(process.execPath, [script], { cwd: directory, env })
  cell(
    'from source, without a compiler',
    !without.ok && /^threadsafe: .*C\+\+20 compiler, make and python3.*\n$/.test(without.output),
    without.output,
  )
  const own = { ...environment(process.env.PATH, registry) }
  const built = run(process.execPath, [script], { cwd: directory, env: own, timeout: 600_000 })
  const result = readdirSync(join(directory, 'node_modules/threadsafe')).includes('build')
  cell('from source', built.ok && result && !/\bwarning:/.test(built.output), built.output)
  rmSync(join(directory, 'node_modules/threadsafe/prebuilds'), { recursive: true })
  const loaded = load([process.execPath], directory, own)
  cell('from source: it loads', loaded.ok, loaded.output)
}

try {
  mkdirSync(home, { recursive: true })
  const registry = must(run('npm', ['config', 'get', 'registry'])).trim()
  const packed = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work], { cwd: root }).output)
  const tarball = join(work, packed[0].filename)
  const nodes = new Map(
    NODES.map((version) => [version, join(fetched(`node-linux-${process.arch}@${version}`), `node-linux-${process.arch}/bin/node`)]),
  )
  const bun = join(fetched(`${bunPackage}@1.4.5`), bunPackage, 'bin/bun')
  const wanted = process.argv.slice(2)
  const installed = MANAGERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map((manager) =>
    tryManager(manager, nodes, bun, tarball, registry),
  )
  tryBuilding(installed[0], registry)
  console.table(Object.fromEntries(rows.map(({ manager, ...cells }) => [manager, cells])))
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
