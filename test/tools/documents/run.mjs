// Runs the programs of the documents in a directory that has only the package, as a user installs
// it, and builds and runs the addon of the recipe for native producers. The argument is the
// directory of the clone, whose compiled tests know how to read documents.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const RECIPE = 'docs/recipes/native-producer.md'

const root = process.argv[2]
const here = (name) => import(pathToFileURL(join(root, 'dist/test/package', name)).href)
const { readDocuments } = await here('documents.js')
const { isRun, matches, needsRedis, outputOf, runProgram, writePrograms } = await here('programs.js')

const documents = readDocuments()
const directory = resolve('programs')
const programs = writePrograms(documents, directory)

async function runAll() {
  // Those that need a server are run by test/package/docs.test.ts, which starts one.
  for (const program of programs.filter((one) => isRun(one) && !needsRedis(one))) {
    const { document, line } = program.block
    const { code, stdout, stderr } = await runProgram(program)
    const output = outputOf(
      program,
      documents.find(({ path }) => path === document),
    )
    assert.ok(code === 0 && stderr === '' && (output === undefined || matches(output, stdout)), `${document}:${line}: ${stdout}${stderr}`)
  }
}

async function buildAndRun() {
  const { blocks } = documents.find(({ path }) => path === RECIPE)
  const folder = join(directory, RECIPE.replace('.md', ''))
  for (const { name, text } of blocks.filter(({ name }) => name !== undefined)) writeFileSync(join(folder, name), text)
  const own = resolve(process.execPath, '../..')
  const headers = existsSync(join(own, 'include/node/node_api.h')) ? { npm_config_nodedir: own } : {}
  const execute = promisify(execFile)
  const nodeGyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js')
  await execute(process.execPath, [nodeGyp, 'rebuild'], { cwd: folder, env: { ...process.env, ...headers } })
  const { stdout } = await execute(process.execPath, ['main.mjs'], { cwd: folder, timeout: 30_000 })
  assert.equal(stdout, '100\n')
}

await Promise.all([runAll(), buildAndRun()])
