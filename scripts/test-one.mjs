// `npm run test:one -- FILE [MOCHA OPTIONS]`: compiles, then runs one test file with the project's
// Mocha configuration. FILE may be test/queue/async.test.ts, queue/async, or the compiled file.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function run(program, ...args) {
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

const [file, ...options] = process.argv.slice(2)
if (file === undefined) fail('usage: npm run test:one -- FILE [MOCHA OPTIONS], where FILE is, for example, queue/async')

const name = relative(root, resolve(root, file))
  .replaceAll('\\', '/')
  .replace(/^(dist\/)?test\//, '')
  .replace(/(\.test)?(\.[jt]s)?$/, '')
if (!existsSync(join(root, 'test', `${name}.test.ts`))) {
  const tests = readdirSync(join(root, 'test'), { recursive: true }).filter((path) => path.endsWith('.test.ts'))
  const close = tests.filter((path) => path.includes(name.slice(name.lastIndexOf('/') + 1)))
  fail([`there is no test/${name}.test.ts`, ...(close.length > 0 ? close : tests).map((path) => `  test/${path}`)].join('\n'))
}

run(require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.json')
run(join(root, 'scripts/bundle.mjs'))
run(join(dirname(require.resolve('mocha/package.json')), 'bin/mocha.js'), `dist/test/${name}.test.js`, ...options)
