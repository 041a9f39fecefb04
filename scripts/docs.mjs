// Makes the documents that are generated from the sources: docs/errors.md from lib/error-codes.ts
// and threadsafe.h, and docs/api/ from the doc comments, by TypeDoc. `--check` writes nothing, and
// fails if a file is out of date. `--errors` is limited to docs/errors.md.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const api = join(root, 'docs/api')
const errors = join(root, 'docs/errors.md')

/** Returns the text of a doc comment, or of a tag, as one Markdown paragraph. */
function paragraph(comment) {
  return (ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ').trim()
}

/** Returns the classes in a literal type or a union of literal types. */
function classesOf(type) {
  return (ts.isUnionTypeNode(type) ? [...type.types] : [type]).map(({ literal }) => literal.text)
}

/** Returns the entries of the interfaces in lib/error-codes.ts, by the interface's name. */
function readCodes() {
  const file = join(root, 'lib/error-codes.ts')
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const interfaces = {}
  for (const statement of source.statements.filter(ts.isInterfaceDeclaration)) {
    interfaces[statement.name.text] = statement.members.map((member) => {
      const name = member.name.text
      const [comment] = member.jsDoc ?? []
      const remedy = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === 'remedy')
      if (!comment || !remedy) throw new Error(`lib/error-codes.ts: ${name} lacks a comment or its @remedy`)
      return { name, classes: classesOf(member.type), when: paragraph(comment.comment), remedy: paragraph(remedy.comment) }
    })
  }
  return interfaces
}

/** Returns the statuses of threadsafe.h, with their comments. */
function readStatuses() {
  const header = readFileSync(join(root, 'native/include/threadsafe.h'), 'utf8')
  const [, statuses] = /typedef enum threadsafe_status \{([^]*?)\}/.exec(header)
  return [...statuses.matchAll(/^ *(THREADSAFE_\w+) = (\d+),? *(?:\/\* *(.*?) *\*\/)?$/gm)].map(([, name, value, comment]) => ({
    name,
    value,
    comment: comment ?? 'done',
  }))
}

/** Wraps a paragraph as the other documents are wrapped. */
function wrapped(text) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== '' && line.length + 1 + word.length > 100) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}

function section({ name, classes, when, remedy }) {
  return [`### ${name}`, wrapped(`*${classes.join(', ')}.* ${when}`), wrapped(`**What to do.** ${remedy}`), ''].join('\n\n').slice(0, -1)
}

/** Returns the anchor that GitHub gives a heading. */
function anchor(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function firstSentence(text) {
  return /^.*?[^.][.:](?= |$)/.exec(text)[0].replace(/:$/, '.')
}

function table(entries) {
  const rows = entries.map(
    ({ name, classes, when }) =>
      `| [\`${name}\`](#${anchor(name)}) | ${classes.map((one) => `\`${one}\``).join(', ')} | ${firstSentence(when)} |`,
  )
  return ['| code | class | when |', '| --- | --- | --- |', ...rows].join('\n')
}

const INTRODUCTION = `<!-- Made by \`npm run docs\` from lib/error-codes.ts and native/include/threadsafe.h. Change those. -->

# Errors

Look an error up by its \`code\`:

\`\`\`js
import { QueueFullError, ThreadSafeQueue } from 'threadsafe'

const queue = new ThreadSafeQueue(1, { name: 'jobs' })
queue.putSync('first')
try {
  queue.putSync('second')
} catch (error) {
  if (error.code !== 'ERR_QUEUE_FULL') throw error // the same as: !(error instanceof QueueFullError)
  console.log(error.message) // The queue "jobs" (capacity 1) is full
}
\`\`\`

Synchronous calls throw, asynchronous ones reject. A call that fails has changed nothing, unless its
entry says otherwise. The classes \`QueueFullError\`, \`QueueEmptyError\`, \`QueueClosedError\`,
\`TimeoutError\` and \`PoolEmptyError\` extend \`ThreadSafeError\`, which extends \`Error\`; the others
are classes of the language. Messages name the queue if it has a \`name\`.
`

function errorsPage() {
  const { ErrorCodes, OtherErrors, WarningCodes } = readCodes()
  const statuses = readStatuses().map(({ name, value, comment }) => `| \`${name}\` | ${value} | ${comment} |`)
  return [
    INTRODUCTION,
    table([...ErrorCodes, ...WarningCodes]),
    '',
    '## Errors with a code\n',
    ...ErrorCodes.map(section),
    '## Other errors\n',
    ...OtherErrors.map(section),
    '## Warnings\n',
    ...WarningCodes.map(section),
    '## Statuses in C\n',
    'The functions of `threadsafe.h` return one of these, and throw nothing. `threadsafe_status_text()`',
    'says in words what it means; [native.md](native.md) says which call returns which.\n',
    '| status | value | meaning |\n| --- | ---: | --- |',
    ...statuses,
    '',
  ].join('\n')
}

/** Returns the texts of a folder's files, by their paths in it. */
function textsIn(directory) {
  const files = existsSync(directory) ? readdirSync(directory, { recursive: true, withFileTypes: true }) : []
  const paths = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path, 'utf8')]))
}

/** What differs from typedoc.json for the other entry point. */
const REDIS = { name: 'threadsafe/redis', entryPoints: [join(root, 'lib/redis/index.ts')], intentionallyNotExported: ['Argument', 'Named'] }

/**
 * Makes TypeDoc write the pages of an entry point into that folder. A warning counts as an error.
 */
async function makeReference(out, options = {}) {
  const { Application, TSConfigReader, TypeDocReader } = await import('typedoc')
  const application = await Application.bootstrapWithPlugins({ options: join(root, 'typedoc.json'), ...options, out }, [
    new TypeDocReader(),
    new TSConfigReader(),
  ])
  const project = await application.convert()
  if (!project) throw new Error('TypeDoc could not read the sources, see above')
  application.validate(project)
  await application.generateOutputs(project)
  if (application.logger.hasErrors() || application.logger.hasWarnings()) throw new Error('TypeDoc has warned, see above')
}

/** Returns the paths whose texts differ, or that exist on one side only. */
function differing(made, present) {
  const paths = new Set([...made.keys(), ...present.keys()])
  return [...paths].filter((path) => made.get(path) !== present.get(path))
}

const check = process.argv.includes('--check')
const stale = []

const page = errorsPage()
if (!check) writeFileSync(errors, page)
else if (!existsSync(errors) || readFileSync(errors, 'utf8') !== page) stale.push('docs/errors.md')

if (!process.argv.includes('--errors')) {
  const made = mkdtempSync(join(tmpdir(), 'threadsafe-docs-'))
  try {
    await makeReference(made)
    await makeReference(join(made, 'redis'), REDIS)
    if (check) stale.push(...differing(textsIn(made), textsIn(api)).map((path) => `docs/api/${path}`))
    else {
      rmSync(api, { recursive: true, force: true })
      cpSync(made, api, { recursive: true })
    }
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

if (stale.length > 0) {
  console.error(`Not what the sources give: ${stale.join(', ')}. Run \`npm run docs\`.`)
  process.exitCode = 1
}
