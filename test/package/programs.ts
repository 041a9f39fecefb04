/** The code of the documents as files, which the compiler checks and which are run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import * as api from '../../lib/index.js'
import { type Block, type Document, isReference, ROOT } from './documents.js'
import { NAMES } from './examples.js'

/** The time limit of each program, many times what it needs. */
const MILLISECONDS = 30_000

/** The file that declares what the examples of doc comments refer to. */
const EXAMPLE_NAMES = 'examples.d.ts'

const EXTENSIONS: Readonly<Record<string, string>> = { js: 'js', ts: 'ts' }

function isCode({ document, language, heading, marks }: Block): boolean {
  if (isReference(document) && !/^Examples?$/.test(heading)) return false
  return language in EXTENSIONS && !marks.includes('external')
}

function isWhole({ name, marks }: Block): boolean {
  return name !== undefined || marks.includes('run')
}

/** The names of each entry point. Errors are in both. */
const EXPORTS = { threadsafe: Object.keys(api), 'threadsafe/redis': ['RedisQueue'] }

/** Returns an import, to be put in front of a part of a program, of what it uses of the package. */
function imports(text: string): string {
  return Object.entries(EXPORTS)
    .map(([entry, all]) => {
      const names = all.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
      const missing = names.filter((name) => !new RegExp(`import (type )?\\{[^}]*\\b${name}\\b|class ${name}\\b`).test(text))
      return missing.length > 0 ? `import { ${missing.join(', ')} } from '${entry}'; ` : ''
    })
    .join('')
}

/** Returns the code of a block as a module that keeps the line numbers of the block. */
function moduleOf(block: Block): string {
  const { text, given } = block
  const ending = '\nexport {}\n'
  return isWhole(block) ? `${text}${ending}` : `${imports(given + text)}${given && `${given}; `}${text}${ending}`
}

export interface Program {
  readonly file: string
  readonly block: Block
}

/**
 * Writes the code of those documents into `directory`, which is emptied first, with a folder for
 * each document. Parts of programs become TypeScript, so that declarations can precede them.
 */
export function writePrograms(documents: readonly Document[], directory: string): Program[] {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, EXAMPLE_NAMES), NAMES)
  const programs: Program[] = []
  for (const { path, blocks } of documents) {
    for (const block of blocks.filter(isCode)) {
      const extension = isWhole(block) ? EXTENSIONS[block.language] : 'ts'
      const file = join(directory, path.replace(/\.md$/, ''), block.name ?? `line-${block.line}.${extension}`)
      if (programs.some((other) => other.file === file)) throw new Error(`${path}:${block.line}: a second ${block.name}`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, moduleOf(block))
      programs.push({ file, block })
    }
  }
  return programs
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
}

/** Makes a host that reads and parses each file once for all programs. */
function cachingHost(): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS)
  const known = new Map<string, ts.SourceFile | undefined>()
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) => {
    if (!known.has(name)) known.set(name, getSourceFile(name, ...rest))
    return known.get(name)
  }
  return host
}

/**
 * Missing types are forgiven in JavaScript: of a parameter, of an item of any kind, of an element.
 */
function isForgiven({ language }: Block, code: number, text: string): boolean {
  return language === 'js' && ((code >= 7000 && code < 8000) || code === 2538 || /'(unknown|\{\})'/.test(text))
}

/** Returns which of the three kinds of code it is. Each kind is compiled separately. */
function kindOf({ file, block }: Program): 'reference' | 'typescript' | 'javascript' {
  if (isReference(block.document)) return 'reference'
  return file.endsWith('ts') ? 'typescript' : 'javascript'
}

/**
 * Returns the compiler's errors in the programs of that directory. TypeScript is checked strictly.
 */
export function complaints(programs: readonly Program[], directory: string): string[] {
  const host = cachingHost()
  return (['reference', 'typescript', 'javascript'] as const).flatMap((kind) => {
    const some = programs.filter((program) => kindOf(program) === kind)
    const files = some.map(({ file }) => file)
    if (kind === 'reference') files.push(join(directory, EXAMPLE_NAMES))
    const program = ts.createProgram(files, { ...OPTIONS, strict: kind !== 'javascript' }, host)
    return some.flatMap(({ file, block }) => {
      const source = program.getSourceFile(file)
      if (!source) throw new Error(`the compiler did not read ${file}`)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].flatMap((diagnostic) => {
        const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')
        const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
        return isForgiven(block, diagnostic.code, text) ? [] : [`${block.document}:${block.line + 1 + line}: ${text}`]
      })
    })
  })
}

/** Lets the C compiler check a block against threadsafe.h. Rejects with the compiler's errors. */
export async function compileC({ document, line, text }: Block): Promise<void> {
  const headers = ['native/include', 'node_modules/node-api-headers/include'].map((path) => `-I${join(ROOT, path)}`)
  const args = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-DNAPI_VERSION=8', ...headers, '-x', 'c', '-']
  const child = spawn('cc', args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part))
  child.stdin.end(text)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${document}:${line}: ${said}`)
}

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Returns whether the block needs a Redis server. */
export function needsRedis({ block: { marks } }: Program): boolean {
  return marks.includes('redis')
}

/** Returns whether a reader would run the block as a program on this system. */
export function isRun({ block: { marks } }: Program): boolean {
  return marks.includes('run') && (process.platform === 'linux' || !marks.includes('linux'))
}

/**
 * Runs a program of a document in its folder, with a time limit and with more in its environment.
 */
export async function runProgram({ file, block }: Program, more: NodeJS.ProcessEnv): Promise<Result> {
  const signal = block.marks.find((mark) => mark.startsWith('signal='))?.slice('signal='.length)
  const child = spawn(process.execPath, [file], {
    cwd: dirname(file),
    env: { ...process.env, ...more },
    timeout: MILLISECONDS,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout === '' && signal) child.kill(signal as NodeJS.Signals)
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/**
 * Returns the output that a program must print: the block of `text output` that follows it, before
 * any other program or heading. Its other files may stand between.
 */
export function outputOf({ block }: Program, { blocks }: Document): string | undefined {
  const after = blocks.slice(blocks.indexOf(block) + 1)
  const end = after.findIndex(({ heading, marks }) => heading !== block.heading || marks.includes('run'))
  const output = after.slice(0, end < 0 ? undefined : end).find(({ language, marks }) => language === 'text' && marks.includes('output'))
  return output && `${output.text}\n`
}

/** Returns whether the text matches the pattern, where `…` stands for anything within a line. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^\\n]*')}$`).test(text)
}
