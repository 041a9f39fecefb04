// Builds the addon when the package is installed, unless it brings one for this platform, or one is built already; with --rebuild in any case.
// node-gyp would download Node's headers; where they lie beside the node that runs, as in most installations, they are taken from there.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const nodeDirectory = resolve(process.execPath, '../..')
const env = { ...process.env }
if (!env.npm_config_nodedir && existsSync(resolve(nodeDirectory, 'include/node/node_api.h'))) env.npm_config_nodedir = nodeDirectory

// By way of the shell, since npm's path leads to them.
const command = process.argv.includes('--rebuild') ? 'node-gyp rebuild' : 'node-gyp-build'
const { status, error } = spawnSync(command, { stdio: 'inherit', shell: true, env })
if (error) throw error
if (status !== 0) {
  console.error(
    `threadsafe: its addon could not be built for ${process.platform}-${process.arch}. That needs a C++20 compiler (g++ 10, clang 12, or Visual Studio 2019), make and python3.`,
  )
}
process.exitCode = status ?? 1
