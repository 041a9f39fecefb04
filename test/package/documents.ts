/**
 * The documents of the project: their code blocks, headings and links.
 *
 * A block of `js` or `ts` is a module of its own. Its first line may name its file: `//
 * worker.mjs`. The rest of the info string says more:
 *
 * - `run`: it is run, in a directory that has all named files of its document. It must end with
 *   status 0 and an empty standard error, and print what the block of `text output` after it says,
 *   where `…` stands for any text. Its other files may stand between.
 * - `linux`: it is run only on Linux.
 * - `signal=NAME`: it is sent that signal once it has printed something.
 * - `external`: it needs packages that are not installed here, and is not checked.
 *
 * HTML comments hold what a reader does not see. `<!-- given: declare const jobs: object -->` above
 * a block declares what that part of a program refers to. `<!-- file: jobs.ts`, followed by text,
 * is a file that others import.
 *
 * The reference, docs/api/, is generated. Its code consists of examples from doc comments, which
 * use the names in examples.ts, and of signatures, which are not checked.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export interface Block {
  /** The document, relative to the root. */
  readonly document: string
  /** The line of the fence, from 1. */
  readonly line: number
  readonly language: string
  /** The rest of the info string. */
  readonly marks: readonly string[]
  readonly text: string
  /** The name of its file, if its first line has one. */
  readonly name: string | undefined
  /** The heading above it. */
  readonly heading: string
  /** Declarations that the document does not show, joined here into one line. */
  readonly given: string
}

export interface Link {
  readonly document: string
  readonly line: number
  readonly target: string
}

export interface Document {
  readonly path: string
  readonly blocks: readonly Block[]
  /** The anchors that links can lead to. */
  readonly anchors: ReadonlySet<string>
  readonly links: readonly Link[]
}

/** Returns whether the document is generated from doc comments. */
export function isReference(path: string): boolean {
  return path.startsWith('docs/api/')
}

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\\(.)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
}

class Parser {
  readonly blocks: Block[] = []
  readonly links: Link[] = []
  readonly anchors = new Set<string>()
  readonly #document: string
  readonly #lines: readonly string[]
  #at = 0
  #given = ''
  #last = ''

  constructor(document: string, text: string) {
    this.#document = document
    this.#lines = text.split('\n')
  }

  parse(): Document {
    while (this.#at < this.#lines.length) this.#next()
    return { path: this.#document, blocks: this.blocks, anchors: this.anchors, links: this.links }
  }

  #next(): void {
    const line = this.#lines[this.#at] as string
    const fence = /^ *(```+)(.*)$/.exec(line)
    if (fence) return this.#block(fence[1] as string, fence[2] as string)
    if (line.startsWith('<!-- given:')) return this.#declarations()
    const file = /^<!-- file: (\S+\.([a-z]+))$/.exec(line)
    if (file) return this.#file(file[1] as string, file[2] as string)
    const heading = /^#+ (.*)$/.exec(line)
    if (heading) this.#heading(heading[1] as string)
    else if (line.trim() !== '') this.#given = ''
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]*)"/g)) this.anchors.add(id as string)
    // Text in backquotes contains no links, but the text of a link may be in backquotes.
    for (const [, target] of line.replace(/`[^`]*`/g, '`').matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)/g))
      this.links.push({ document: this.#document, line: this.#at + 1, target: target as string })
    this.#at++
  }

  #heading(text: string): void {
    this.#last = text
    const anchor = anchorOf(text)
    let own = anchor
    for (let k = 1; this.anchors.has(own); k++) own = `${anchor}-${k}`
    this.anchors.add(own)
  }

  /** Returns the lines of the comment that begins here. */
  #comment(): readonly string[] {
    const begin = this.#at
    while (!(this.#lines[this.#at] as string).includes('-->')) this.#at++
    return this.#lines.slice(begin, ++this.#at)
  }

  #declarations(): void {
    const comment = this.#comment().join('; ')
    this.#given = comment.slice('<!-- given:'.length, comment.indexOf('-->')).trim()
  }

  #file(name: string, language: string): void {
    const line = this.#at + 1
    const text = this.#comment().slice(1, -1).join('\n')
    this.blocks.push({ document: this.#document, line, language, marks: [], text, name, heading: this.#last, given: '' })
  }

  #block(fence: string, info: string): void {
    const line = this.#at + 1
    const end = this.#lines.findIndex((other, k) => k > this.#at && other.trim() === fence)
    if (end < 0) throw new Error(`${this.#document}:${line}: the block does not end`)
    const text = this.#lines.slice(this.#at + 1, end).join('\n')
    const [language = '', ...marks] = info.trim().split(/\s+/)
    const name = /^(?:\/\/|#|\/\*) ([\w./-]+\.[a-z]+)(?: \*\/)?$/.exec(text.split('\n', 1)[0] as string)?.[1]
    this.blocks.push({ document: this.#document, line, language, marks, text, name, heading: this.#last, given: this.#given })
    this.#given = ''
    this.#at = end + 1
  }
}

/** Returns the paths of all Markdown files that a user or a contributor reads. */
function paths(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'))
  const top = readdirSync(ROOT).filter((path) => path.endsWith('.md'))
  return [...top, ...docs.map((path) => join('docs', path))].sort()
}

export function readDocuments(): Document[] {
  return paths().map((path) => new Parser(path.replaceAll('\\', '/'), readFileSync(join(ROOT, path), 'utf8')).parse())
}

/** Returns why a link within the project leads nowhere, or undefined if it is good. */
export function fault({ document, target }: Link, documents: readonly Document[], exists: (path: string) => boolean): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), decodeURIComponent(path)))
  if (file.startsWith('..')) return 'leads out of the project'
  if (!exists(join(ROOT, file))) return 'there is no such file'
  if (anchor === undefined) return undefined
  const other = documents.find(({ path: known }) => known === file.replaceAll('\\', '/'))
  return other?.anchors.has(anchor) ? undefined : 'there is no such heading'
}
