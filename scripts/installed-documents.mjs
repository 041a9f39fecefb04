// What the documents tell somebody who installs the package: the commands of each package manager,
// the first programs with what they print, and how to build from source. test-install.mjs does what
// they say. Needs the compiled tests, which know how to read documents.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readDocuments } from '../dist/test/package/documents.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const FIRST_EXAMPLE = 'A worker that feeds your loop'

/**
 * The rows of the table of package managers in docs/install.md: names, `command`, `how to run a
 * program`.
 */
const MANAGER = /^\| ([\w., ]+) \| `([^`]+)` \| `([^`]+) main\.js` \|/gm

function only(items, what) {
  if (items.length !== 1) throw new Error(`the documents have ${items.length} ${what}, not one`)
  return items[0]
}

const documents = readDocuments()
const { blocks } = documents.find(({ path }) => path === 'README.md')
const example = blocks.filter(({ heading }) => heading === FIRST_EXAMPLE)
const install = documents.find(({ path }) => path === 'docs/install.md')
const table = readFileSync(join(root, install.path), 'utf8')

/** The lines of the only block of the shell that has those words. */
function commands(some, words) {
  const shell = some.filter(({ language, text }) => language === 'sh' && text.includes(words))
  return only(shell, `blocks with ${words}`).text.split('\n')
}

/** A program, as its files by name, the one that is run, and what it prints. */
function program(some) {
  const files = some.filter(({ name }) => name !== undefined)
  const { name } = only(
    files.filter(({ marks }) => marks.includes('run')),
    `programs to run with ${files.map(({ name }) => name)}`,
  )
  const output = only(
    some.filter(({ language, marks }) => language === 'text' && marks.includes('output')),
    `outputs of ${name}`,
  )
  return { files: new Map(files.map(({ name, text }) => [name, `${text}\n`])), main: name, output: `${output.text}\n` }
}

/** For each package manager how to install the package, and how to run a program that uses it. */
export const MANAGERS = new Map(
  [...table.matchAll(MANAGER)].flatMap(([, names, add, run]) => names.split(', ').map((name) => [name, { add, run: run.split(' ') }])),
)

const FIRST_COMMANDS = commands(example, 'npm install')

/** The commands before the README's first example, for a package manager that is added by `add`. */
export function firstCommands(add) {
  const { add: standard } = MANAGERS.get('npm 11')
  if (!FIRST_COMMANDS.includes(standard)) throw new Error(`the README does not begin with ${standard}`)
  return FIRST_COMMANDS.map((command) => (command === standard ? add : command))
}

/** The README's first example, and the first program of docs/install.md. */
export const PROGRAMS = [program(example), program(install.blocks.filter(({ heading }) => heading === 'Installing'))]

export const BUILD = only(commands(install.blocks, 'build.mjs'), 'commands that build from source')
