/**
 * Fuzzes one of the targets in this process: `main.js NAME SECONDS FOLDER CURRENT [--merge]`.
 * Starts with the inputs in the folder, and leaves there what it has found. With `--merge` it
 * leaves only the smallest inputs that take the same branches. The input of each run is in the file
 * CURRENT.
 *
 * `main.js NAME PATH` runs the input in that file, or all inputs in that folder.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'
import { COUNTERS, type Engine, Fuzzer, minimized, MOST_COUNTERS, type Target } from './engine.js'

const MOST_BYTES: Record<string, number> = { decode: 1024, roundtrip: 512, shared: 256 }

const [name = '', first = '', folder, current = '', merge] = process.argv.slice(2)
const mostBytes = MOST_BYTES[name]
if (mostBytes === undefined) throw new Error(`There is no target ${name}, only ${Object.keys(MOST_BYTES).join(', ')}`)

const counters = new Uint8Array(MOST_COUNTERS)
Object.assign(globalThis, { [COUNTERS]: counters })
register('./instrument.js', import.meta.url, { data: folder !== undefined })
const { [name]: target } = (await import(`./${name}.js`)) as Record<string, Target>
if (folder === undefined) {
  const files = statSync(first).isDirectory() ? readdirSync(first).map((file) => join(first, file)) : [first]
  for (const file of files) {
    try {
      target?.(readFileSync(file))
    } catch (error) {
      throw new Error(`The input ${file} is a finding`, { cause: error })
    }
  }
  console.log(`${files.length} inputs, no finding`)
  process.exit()
}

const engine: Engine = { target: target as Target, counters, current, mostBytes }

mkdirSync(folder, { recursive: true })
const inputs = readdirSync(folder).map((file) => readFileSync(join(folder, file)))
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)
const fuzzer = new Fuzzer(engine, seed)
for (const input of inputs) fuzzer.try(input)
if (inputs.length > 0 && fuzzer.branches === 0) throw new Error('No branch was counted: what does instrument.ts instrument?')
const end = performance.now() + Number(first) * 1000
while (performance.now() < end) for (let k = 0; k < 100; k++) fuzzer.tryAnother()
fuzzer.close()

const { runs, branches } = fuzzer
const kept = merge ? minimized(fuzzer.corpus, engine) : fuzzer.corpus
for (const file of merge ? readdirSync(folder) : []) rmSync(join(folder, file))
for (const input of kept) writeFileSync(join(folder, createHash('sha1').update(input).digest('hex').slice(0, 16)), input)
console.log(`${runs} runs, ${branches} branches, ${kept.length} inputs, seed ${seed}`)
process.exit()
