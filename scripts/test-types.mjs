// Compiles the project in test/types, which uses the packed package, with several versions of
// TypeScript, each with the module resolution of Node and that of bundlers. Code that must not
// compile is marked with @ts-expect-error. Installs the compilers from npm into build/types. Prints
// "N passed, N failed" at the end.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'build/types')

const COMPILERS = ['5.9', '6.0', '7.0']

const RESOLUTIONS = [
  { name: 'NodeNext', options: ['--module', 'nodenext'] },
  { name: 'bundler', options: ['--module', 'preserve', '--moduleResolution', 'bundler'] },
]

async function run(command, args, cwd) {
  const { stdout } = await promisify(execFile)(command, args, { cwd })
  return stdout
}

/** Sets up the project with only the packed package and the types that it needs. */
async function prepare() {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const [{ filename }] = JSON.parse(await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', home], root))
  await run('tar', ['-xzf', filename], home)
  const project = join(home, 'project')
  cpSync(join(root, 'test/types'), project, { recursive: true })
  cpSync(join(home, 'package'), join(project, 'node_modules/threadsafe'), { recursive: true })
  for (const name of ['@types/node', 'undici-types']) {
    cpSync(join(root, 'node_modules', name), join(project, 'node_modules', name), { recursive: true })
  }
  return project
}

async function install(version) {
  const directory = join(home, `typescript-${version}`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true }))
  await run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', `typescript@${version}`], directory)
  const manifest = JSON.parse(readFileSync(join(directory, 'node_modules/typescript/package.json'), 'utf8'))
  return { name: `TypeScript ${manifest.version}`, tsc: join(directory, 'node_modules/typescript/bin/tsc') }
}

const project = await prepare()
let passed = 0
let failed = 0
for (const version of COMPILERS) {
  const { name, tsc } = await install(version)
  for (const resolution of RESOLUTIONS) {
    let output = ''
    try {
      await run(process.execPath, [tsc, '-p', 'tsconfig.json', ...resolution.options], project)
      passed++
    } catch (error) {
      failed++
      output = `\n${error.stdout}${error.stderr}`
    }
    console.log(`${output === '' ? 'passed' : 'FAILED'}  ${name}, ${resolution.name}${output}`)
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
