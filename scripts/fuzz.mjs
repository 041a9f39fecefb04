// `npm run fuzz -- [NAME] [--seconds N] [--merge]` fuzzes one target, or all of them, two at a
// time, for 600 s each by default. C++ targets (native/fuzz) use clang's libFuzzer, and TypeScript
// targets (test/fuzz) the fuzzer there. Each starts with its corpus in native/fuzz/corpus, and
// keeps what it learns in build/fuzz/work. `--merge` afterwards puts the smallest inputs that cover
// as much into the corpus. An input that is a finding is left in build/fuzz/findings, and can be
// run again:
//
//     build/fuzz/native/native/fuzz/fuzz_queue FILE
//     node dist/test/fuzz/main.js decode FILE
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clearInterval, setInterval } from 'node:timers'
import { parseArgs } from 'node:util'

const NATIVE = ['queue', 'record', 'lock', 'pool', 'select', 'capi']
const SCRIPT = ['decode', 'roundtrip', 'shared']
/** The longest input of a C++ target, which is enough for a few dozen calls. */
const MOST_BYTES = 384
/** Seconds that one run may take. */
const LONGEST_RUN = 20

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '600' }, merge: { type: 'boolean', default: false } },
})
const { merge } = values
const seconds = Number(values.seconds)
const all = [...NATIVE, ...SCRIPT]
const names = positionals.length > 0 ? positionals : all
const unknown = names.find((name) => !all.includes(name))
if (unknown !== undefined || !(seconds >= 0)) {
  console.error(`usage: npm run fuzz -- [NAME] [--seconds N] [--merge]; NAME is one of ${all.join(', ')}`)
  process.exit(2)
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const folder = (...parts) => {
  const path = join('build/fuzz', ...parts)
  mkdirSync(path, { recursive: true })
  return path
}
const corpusOf = (name) => join('native/fuzz/corpus', name)
const findings = folder('findings')
const native = 'build/fuzz/native'

function must(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return
  console.error(`${stdout ?? ''}${stderr ?? ''}${program} ${args.join(' ')} failed`)
  process.exit(1)
}

const targets = names.filter((name) => NATIVE.includes(name)).map((name) => `fuzz_${name}`)
if (targets.length > 0) {
  must('cmake', '-S', '.', '-B', native, '-DFUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++-19')
  must('cmake', '--build', native, '-j', '2', '--target', ...targets)
}

/** Runs a program, and kills it when `late()` says so. Resolves to how it ended. */
function run(program, args, late = () => false) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ASAN_OPTIONS: 'quarantine_size_mb=8:detect_leaks=0' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output = (output + data).slice(-200_000)))
    let hangs = false
    const timer = setInterval(() => {
      if (!late()) return
      hangs = true
      child.kill('SIGKILL')
    }, 1000)
    child.once('close', (code) => {
      clearInterval(timer)
      resolve({ code, output, hangs })
    })
  })
}

const last = (text, pattern) => [...text.matchAll(pattern)].at(-1)?.[1] ?? '0'

async function fuzzNative(name, work) {
  const program = join(native, 'native/fuzz', `fuzz_${name}`)
  const options = [`-max_len=${MOST_BYTES}`, `-timeout=${LONGEST_RUN}`, `-artifact_prefix=${findings}/${name}-`, '-rss_limit_mb=1500']
  const { code, output } = await run(program, [work, ...options, `-max_total_time=${seconds}`, '-print_final_stats=1'])
  if (code === 0 && merge) {
    const smallest = folder('merged', name)
    must(program, '-set_cover_merge=1', '-use_counters=0', `-max_len=${MOST_BYTES}`, smallest, work)
    rmSync(corpusOf(name), { recursive: true, force: true })
    cpSync(smallest, corpusOf(name), { recursive: true })
    rmSync(smallest, { recursive: true })
  }
  return { code, output, runs: last(output, /number_of_executed_units: (\d+)/g), covered: `${last(output, /cov: (\d+)/g)} edges` }
}

async function fuzzScript(name, work) {
  const current = join(folder('current'), name)
  rmSync(current, { force: true })
  const late = () => existsSync(current) && Date.now() - statSync(current).mtimeMs > LONGEST_RUN * 1000
  const main = ['dist/test/fuzz/main.js', name, String(seconds), work, current]
  const { code, output, hangs } = await run(process.execPath, main, late)
  if (code !== 0) copyFileSync(current, join(findings, `${name}-${hangs ? 'timeout' : 'crash'}-${Date.now()}`))
  if (code === 0 && merge) {
    const smallest = folder('merged', name)
    cpSync(work, smallest, { recursive: true })
    must(process.execPath, 'dist/test/fuzz/main.js', name, '0', smallest, current, '--merge')
    rmSync(corpusOf(name), { recursive: true, force: true })
    cpSync(smallest, corpusOf(name), { recursive: true })
    rmSync(smallest, { recursive: true })
  }
  return { code, output, runs: last(output, /^(\d+) runs/gm), covered: `${last(output, /(\d+) branches/g)} branches` }
}

let failed = false

async function fuzz(name) {
  const work = folder('work', name)
  if (existsSync(corpusOf(name))) cpSync(corpusOf(name), work, { recursive: true })
  const { code, output, runs, covered } = await (NATIVE.includes(name) ? fuzzNative : fuzzScript)(name, work)
  console.log(`${name}: ${runs} runs, ${covered}, ${code === 0 ? 'no finding' : 'A FINDING'}`)
  if (code === 0) return
  failed = true
  console.log(output.trimEnd().split('\n').slice(-60).join('\n').replaceAll(/^/gm, '    '))
  console.log(`    The input is in ${findings}: ${readdirSync(findings).filter((file) => file.startsWith(name))}`)
}

const waiting = [...names]
const worker = async () => {
  for (let name; (name = waiting.shift()) !== undefined;) await fuzz(name)
}
await Promise.all([worker(), worker()])
process.exit(failed ? 1 : 0)
