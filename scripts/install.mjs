// Builds the addon when the package is installed, unless it brings one for this platform. node-gyp would download Node's headers; where
// they lie beside the node that runs, as in most installations, they are taken from there.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const nodeDirectory = resolve(process.execPath, '../..')
const env = { ...process.env }
if (!env.npm_config_nodedir && existsSync(resolve(nodeDirectory, 'include/node/node_api.h'))) env.npm_config_nodedir = nodeDirectory

// By way of the shell, since npm's path leads to node-gyp-build.
const { status, error } = spawnSync('node-gyp-build', { stdio: 'inherit', shell: true, env })
if (error) throw error
process.exitCode = status ?? 1
