// Runs pino's own tests of transports, which its package brings along, with the stream of
// examples/pino-transport in the place of thread-stream. The argument is the directory of the
// clone, which has the example compiled. `--thread-stream` leaves that in its place, to tell what
// is pino's.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { run } from 'node:test'

/**
 * The tests that are left out: one of eight million lines, one that needs a newer Node to run
 * TypeScript, and those that are compiled by an old TypeScript.
 */
const LEFT_OUT = /^big\.|^native-type-stripping\.|\.ts$/

const [root, ...options] = process.argv.slice(2)
const modules = resolve('node_modules')
const pino = join(modules, 'pino')

/** Replaces thread-stream by the compiled example. */
function replaceThreadStream() {
  const directory = join(modules, 'thread-stream')
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  renameSync(directory, resolve('thread-stream'))
  mkdirSync(directory)
  for (const file of ['queue-stream.js', 'stream-link.js', 'stream-worker.js'])
    copyFileSync(join(root, 'dist/examples/pino-transport', file), join(directory, file))
  const manifest = { name: 'thread-stream', version, type: 'module', exports: './index.cjs' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(directory, 'index.cjs'), `module.exports = require('./queue-stream.js').QueueStream\n`)
}

/** Makes what the tests take from a clone of pino: a module of its own, and a compiled fixture. */
function completePino() {
  mkdirSync(join(pino, 'node_modules'))
  symlinkSync(join(modules, 'get-caller-file'), join(pino, 'node_modules/get-caller-file'))
  const ts = createRequire(join(root, 'package.json'))('typescript')
  const fixture = join(pino, 'test/fixtures/ts/to-file-transport')
  const { outputText } = ts.transpileModule(readFileSync(`${fixture}.ts`, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2017, esModuleInterop: true },
  })
  writeFileSync(`${fixture}.es2017.cjs`, outputText)
}

async function runTests(files) {
  // They leave files in the directory for temporary files.
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'threadsafe-pino-'))
  // One test reads the log in a loop while the worker starts. It gives up after 20,000 readings,
  // a third of a second, unless told otherwise. Here the time limit of a test ends it.
  process.env.MAX_TEST_LOOP_ITERATION = String(Number.MAX_SAFE_INTEGER)
  const failures = []
  let passed = 0
  for await (const { type, data } of run({ files, concurrency: 2, timeout: 60_000 })) {
    if (type === 'test:pass' && data.skip === undefined) passed++
    if (type === 'test:fail')
      failures.push(`${basename(data.file ?? '')}: ${data.name}: ${data.details.error?.cause?.stack ?? data.details.error}`)
  }
  rmSync(process.env.TMPDIR, { recursive: true })
  return { passed, failures }
}

if (!options.includes('--thread-stream')) replaceThreadStream()
completePino()
const directory = join(pino, 'test/transport')
const files = readdirSync(directory).filter((file) => !LEFT_OUT.test(file))
const { passed, failures } = await runTests(files.map((file) => join(directory, file)))
assert.deepEqual(failures, [])
assert.ok(passed > 60, `only ${passed} tests of pino have run`)
