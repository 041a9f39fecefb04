// Runs the projects of test/tools, each with the real tool, on the package as users get it. Jest,
// Vitest and tsx evaluate a module several times in one process, in realms of their own, and
// replace timers by fake ones. Bundlers must leave the package alone, and Deno must be refused. The
// programs of the documents run as a reader would run them. pino's tests of transports run with the
// stream of examples/pino-transport.
//
// Installs the tools from npm into build/tools. Arguments are the names of runs, to run only those.
// Prints "N passed, N failed" at the end.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'test/tools')
const home = join(root, 'build/tools')

/** pino, and what its tests need. */
const PINO = {
  pino: '10.4.0',
  'pino-abstract-transport': '3.0.0',
  'pino-pretty': '13.2.0',
  '@matteo.collina/tspl': '0.2.0',
  execa: '5.1.1',
  'flush-write-stream': '2.0.0',
  'get-caller-file': '2.0.5',
  proxyquire: '2.1.3',
  rimraf: '6.1.4',
  split2: '4.2.0',
  'strip-ansi': '6.0.1',
}

/**
 * `project` is the folder of test/tools, `tool` the npm package, `args` the arguments of the
 * project's own test script.
 */
const RUNS = [
  { name: 'jest-29', project: 'jest', tool: { jest: '29.7.0' }, args: [] },
  { name: 'jest-30', project: 'jest', tool: { jest: '30.5.2' }, args: [] },
  { name: 'jest-30-in-band', project: 'jest', tool: { jest: '30.5.2' }, args: ['--runInBand'] },
  { name: 'vitest-threads', project: 'vitest', tool: { vitest: '4.1.12' }, args: ['--pool=threads'] },
  { name: 'vitest-forks', project: 'vitest', tool: { vitest: '4.1.12' }, args: ['--pool=forks'] },
  { name: 'vitest-vm-threads', project: 'vitest', tool: { vitest: '4.1.12' }, args: ['--pool=vmThreads'] },
  { name: 'vitest-one-thread', project: 'vitest', tool: { vitest: '4.1.12' }, args: ['--pool=threads', '--no-isolate', '--maxWorkers=1'] },
  { name: 'tsx', project: 'tsx', tool: { tsx: '4.23.15' }, args: [] },
  { name: 'esbuild', project: 'bundlers', tool: { esbuild: '0.28.2' }, args: ['esbuild'] },
  { name: 'rollup', project: 'bundlers', tool: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' }, args: ['rollup'] },
  { name: 'webpack', project: 'bundlers', tool: { webpack: '5.113.0' }, args: ['webpack'] },
  { name: 'documents', project: 'documents', tool: {}, args: [root] },
  { name: 'pino', project: 'pino', tool: PINO, args: [root], seconds: 300 },
  { name: 'deno', project: 'deno', tool: { deno: `npm:@deno/linux-${process.arch}-glibc@2.9.6` }, args: [] },
]

/** The time limit of each run that names none, more than ten times what it needs. */
const SECONDS = 120

/**
 * Resolves to the output, and whether the run succeeded. A run that hangs is killed together with
 * everything that it has started.
 */
async function run(command, args, cwd, seconds = SECONDS) {
  const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    process.kill(-child.pid, 'SIGKILL')
  }, seconds * 1000)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { ok: code === 0, stdout, output: late ? `${output}\nhangs: killed after ${seconds} s` : output }
}

async function must(running) {
  const { ok, stdout, output } = await running
  if (!ok) throw new Error(output)
  return stdout
}

/** Unpacks the package's files as npm packs them, and adds the addon that was built here. */
async function unpack() {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const [{ filename }] = JSON.parse(await must(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', home], root)))
  await must(run('tar', ['-xzf', filename], home))
  const unpacked = join(home, 'package')
  cpSync(join(root, 'build/Release/threadsafe.node'), join(unpacked, 'build/Release/threadsafe.node'))
  mkdirSync(join(unpacked, 'node_modules'))
  for (const name of Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(unpacked, 'node_modules', name))
  }
  return unpacked
}

/** Adds the test files that docs/recipes/testing.md shows for that tool. */
function addDocumented(project, directory) {
  const text = readFileSync(join(root, 'docs/recipes/testing.md'), 'utf8')
  for (const [, tool, file, code] of text.matchAll(/^```js external\n\/\/ (\w+)\/([\w.]+)\n([^]*?)^```$/gm)) {
    if (tool === project) writeFileSync(join(directory, file), code)
  }
}

async function prepare({ name, project, tool }, unpacked) {
  const directory = resolve(home, name)
  cpSync(join(sources, project), directory, { recursive: true })
  cpSync(join(sources, 'common'), directory, { recursive: true })
  addDocumented(project, directory)
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...manifest, devDependencies: tool }))
  await must(run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], directory))
  cpSync(unpacked, join(directory, 'node_modules/threadsafe'), { recursive: true, verbatimSymlinks: true })
  return directory
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !RUNS.some((run) => run.name === name))
if (unknown.length > 0) throw new Error(`No run is called ${unknown.join(', ')}; there are ${RUNS.map(({ name }) => name).join(', ')}`)

const unpacked = await unpack()
let passed = 0
let failed = 0
for (const one of RUNS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const directory = await prepare(one, unpacked)
  const { ok, output } = await run('npm', ['test', '--silent', '--', ...one.args], directory, one.seconds)
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'passed' : 'FAILED'}  ${one.name}${ok ? '' : `\n${output}`}`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
