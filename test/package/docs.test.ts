/**
 * The documents are true: their code compiles, and runs where they say so; their links lead
 * somewhere; and every error code is documented.
 */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Document, fault, readDocuments, ROOT } from './documents.js'
import { compileC, complaints, isRun, matches, outputOf, type Program, runProgram, writePrograms } from './programs.js'

/**
 * Lies within the package, so that programs find the package itself. Several versions of Node may
 * run this at a time.
 */
const DIRECTORY = join(ROOT, `build/documents-${process.version}`)
const LANGUAGES = new Set(['js', 'ts', 'c', 'python', 'sh', 'json', 'text'])
/** The number of programs that run at a time. */
const AT_A_TIME = 3
/** Node's own codes that the sources check for. */
const OF_OTHERS = new Set(['ERR_DLOPEN_DISABLED'])

describe('the documents', () => {
  const documents = readDocuments()
  let programs: Program[]

  before(function () {
    this.timeout(60_000)
    programs = writePrograms(documents, DIRECTORY)
  })

  it('name the language of each block of code', () => {
    const odd = documents.flatMap(({ blocks }) => blocks.filter(({ language }) => !LANGUAGES.has(language)))
    assert.deepEqual(
      odd.map(({ document, line, language }) => `${document}:${line}: '${language}'`),
      [],
    )
  })

  it('have code that compiles', function () {
    this.timeout(60_000)
    assert.ok(programs.length > 120, `${programs.length} blocks of code`)
    assert.deepEqual(complaints(programs, DIRECTORY), [])
  })

  it('have programs that run, and print what they say', async function () {
    this.timeout(120_000)
    const left = programs.filter(isRun)
    assert.ok(left.length > 15, `${left.length} programs`)
    const faults: string[] = []
    const runNext = async (): Promise<void> => {
      for (let program = left.pop(); program; program = left.pop()) {
        const { document, line } = program.block
        const { code, stdout, stderr } = await runProgram(program)
        const expected = outputOf(program, documents.find(({ path }) => path === document) as Document)
        if (code !== 0 || stderr !== '' || (expected !== undefined && !matches(expected, stdout)))
          faults.push(`${document}:${line}: status ${code}, printed ${JSON.stringify(stdout)}${stderr && ` and the error ${stderr}`}`)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, runNext))
    assert.deepEqual(faults, [])
  })

  it('have C that compiles without a warning', async function () {
    if (process.platform === 'win32') this.skip()
    const blocks = documents.flatMap(({ blocks }) => blocks.filter(({ language, name }) => language === 'c' && name !== undefined))
    assert.ok(blocks.length > 2, `${blocks.length} files in C`)
    for (const block of blocks) await compileC(block)
  })

  it('have links that lead somewhere', () => {
    const links = documents.flatMap(({ links }) => links)
    assert.ok(links.length > 100, `${links.length} links`)
    const broken = links.map((link) => ({ ...link, why: fault(link, documents, existsSync) })).filter(({ why }) => why)
    assert.deepEqual(
      broken.map(({ document, line, target, why }) => `${document}:${line}: ${target}: ${why}`),
      [],
    )
  })

  describe('docs/errors.md', () => {
    it('lists each code in the sources, and no other', () => {
      const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
      const used = new Set<string>()
      for (const path of sources.filter((path) => path !== 'error-codes.ts')) {
        const text = readFileSync(join(ROOT, 'lib', path), 'utf8')
        for (const [, code] of text.matchAll(/'((?:ERR|THREADSAFE)_[A-Z_]+)'/g)) used.add(code as string)
      }
      const told = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(/^### ((?:ERR|THREADSAFE)_[A-Z_]+)$/gm)
      assert.deepEqual([...told].map(([, code]) => code as string).sort(), [...used].filter((code) => !OF_OTHERS.has(code)).sort())
    })

    it('is up to date with the sources', async () => {
      await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/docs.mjs'), '--errors', '--check'])
    })
  })
})
