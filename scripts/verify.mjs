// `npm run verify` runs what shows that nothing is lost and nobody is stuck, on one Linux machine
// with two cores. `npm run verify -- --release` runs what else a release needs and .ci/run leaves
// out: all prebuilds, every way to install, and long tests of what comes with the package. `--only
// NAME` runs the checks whose names begin with NAME, and `--list` prints all.
//
// Each check writes its own log to build/verify/. The table at the end shows, for each check, how
// many cases it ran, how long it took, how much processor time at least, and how it ended. A check
// that should count cases but counts none has failed.
//
// Three rows of checks run at the same time: tests, one after another; `apart`, those with
// sanitizers, on other runtimes and in other places; and `beside`, those in C++, at idle priority
// where there is no deadline. When the tests are done, what is left of `apart` runs two at a time.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const logs = join(root, 'build/verify')

/** Patterns of the counts of cases that programs print. All matches are added up. */
const MOCHA = /^ +(\d+) passing/gm
const PASSED = /^(\d+) passed, \d+ failed$/gm
/** The pattern of the soak's counts. */
const SOAK = /^\| workers killed \| (\d+) \|$/gm
const CTEST = /tests passed, \d+ tests failed out of (\d+)/g
const EXECUTIONS = /passed all (\d+) executions/g
const CAUGHT = /\((\d+) weakenings caught\)/g
/** What Bash's `times` prints last: the processor time of the children that it has waited for. */
const TIMES = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm

/** The other Nodes. Several checks run on one of these, and each has some of the suite. */
const NODES = ['20.19.0', '22', '24', '26']
/** Which eighth of other tests the first of them runs beside the core tests. Drawn anew each time. */
const firstEighth = Math.floor(Math.random() * 8)

const mocha = 'node node_modules/mocha/bin/mocha.js --reporter dot'
const mochaOn = (version) => `env PREBUILDS_ONLY= scripts/checks.sh on_node ${version}`
const idle = 'chrt --idle 0'
/** Of the build without sanitizers, what the builds with sanitizers lack. */
const buildModels = 'scripts/checks.sh build_ctests ctest native/model/all safety_test'

/** Those in which threads or loops wait for one another, without a process for each case. */
const WAITING = `dist/test/queue/{async,batches,for-each,iterating,join,looking,overflow,queue,streams}.test.js \
  dist/test/shared/{consistency,context,lock,message,pool,record}.test.js \
  dist/test/system/{kills,stress}.test.js dist/test/wait/{fairness,long-items,loops,native-calls,starvation}.test.js`

/** Steps that several checks need. Each runs once, before the first check that needs it. */
const PREPARATIONS = {
  tools: { run: 'scripts/checks.sh install_tools' },
  modules: { run: 'test -d node_modules || npm ci --no-audit --no-fund' },
  build: { run: 'npm run --silent build', needs: ['tools', 'modules'] },
  asan: { run: 'scripts/checks.sh build_asan', needs: ['build'] },
  prebuilds: { run: 'npm run --silent prebuilds', needs: ['build'] },
  ...Object.fromEntries(
    NODES.map((version) => [`with-${version}`, { run: `scripts/checks.sh install_node ${version}`, needs: ['build'] }]),
  ),
  'prebuild-arm64': { run: 'npm run --silent prebuilds -- linux-arm64-glibc', needs: ['build'] },
}

/**
 * The checks. `run` is a bash command in the root of the clone, and `cases` finds the number of
 * cases in its output. `needs` names preparations, by default `build`. A check is killed after
 * `minutes`, by default 15. `apart` and `beside` say in which row it runs. No check may compile
 * into dist/, as others run from there. `build` has done that. `release`: only by `--release`.
 */
const CHECKS = [
  // The suite runs with sanitizers, below, and without in .ci/run: here is what that leaves out.
  { name: 'measuring', run: 'scripts/checks.sh measuring_suite', cases: MOCHA },
  { name: 'lifecycle', run: `TEST_SHARE=1 ${mochaOn('24')} dist/test/system/lifecycle.test.js`, cases: MOCHA, needs: ['with-24'] },
  { name: 'model-based', run: `MODEL_RUNS=600 ${mochaOn('26')} 'dist/test/system/model-*.test.js'`, cases: MOCHA, needs: ['with-26'] },
  { name: 'isolates', run: `ISOLATES=1000 ${mocha} dist/test/system/isolates.test.js`, cases: MOCHA },
  {
    name: 'shared-data',
    run: `RECORD_READS=1500000 CONTEXT_JOBS=5000 POOL_LENDS=100000 POOL_KILLS=20 LOCK_SECTIONS=100000 LOCK_KILLS=20 ${mochaOn('22')} 'dist/test/shared/*.test.js'`,
    cases: MOCHA,
    needs: ['with-22'],
  },
  { name: 'one-cpu', run: `TEST_SHARE=0.05 taskset --cpu-list 0 ${mochaOn('24')} ${WAITING}`, cases: MOCHA, needs: ['with-24'] },
  { name: 'soak', run: 'node dist/test/soak/main.js --minutes 1', cases: SOAK },
  // Comes last: its workers take all processors, and for longer if other checks slow the kills down.
  { name: 'kills', run: `KILLS=5000 ${mocha} dist/test/system/kills.test.js`, cases: MOCHA, minutes: 30 },
  { name: 'asan-addon', apart: true, run: 'scripts/checks.sh asan_suite', cases: MOCHA, needs: ['asan'], minutes: 40 },
  { name: 'asan-leaks', apart: true, run: 'scripts/checks.sh asan_leaks 0.5', cases: SOAK, needs: ['asan'] },
  { name: 'fuzz', apart: true, run: 'node scripts/fuzz.mjs --seconds 5', cases: /(\d+) runs/g },
  ...NODES.map((version, k) => ({
    name: `node-${version}`,
    run: `scripts/checks.sh on_node_in_part ${version} ${((firstEighth + k) % 8) + 1}`,
    cases: MOCHA,
    apart: true,
    needs: [`with-${version}`],
  })),
  { name: 'bun', apart: true, run: 'PREBUILDS_ONLY= scripts/checks.sh on_bun', cases: MOCHA },
  { name: 'arm64', apart: true, run: 'node scripts/test-arm64.mjs', cases: PASSED, needs: ['prebuild-arm64'] },
  // They only compute, while the tests have deadlines. The C++ tests run with sanitizers, below;
  // `searches` goes further than what ctest searches by default, and `fuzz` runs the corpora first.
  {
    name: 'models',
    run: `${buildModels} && ${idle} scripts/checks.sh ctests ctest -R '^(model.[a-z]+$|mutant|test.safety)'`,
    cases: CTEST,
    beside: true,
    minutes: 40,
  },
  ...['ctest-tsan', 'ctest-asan'].map((build) => ({
    name: build,
    run: `scripts/checks.sh build_ctests ${build} native/test/all && scripts/checks.sh ctests ${build} -j 1 -R '^test'`,
    cases: CTEST,
    beside: true,
    minutes: 40,
  })),
  {
    name: 'searches',
    run: `${buildModels} && ${idle} scripts/checks.sh ctests ctest -C search -L search --verbose`,
    cases: EXECUTIONS,
    beside: true,
    minutes: 30,
  },
  {
    name: 'orderings',
    run: `${buildModels} && ${idle} node scripts/orderings.mjs --run`,
    cases: CAUGHT,
    beside: true,
    minutes: 30,
  },
  { name: 'redis', release: true, run: `REDIS_ITEMS=60000 ${mocha} 'dist/test/redis/*.test.js'`, cases: MOCHA, minutes: 20 },
  { name: 'beyond', release: true, run: `BEYOND_KILLS=60 ${mocha} dist/test/examples/beyond.test.js`, cases: MOCHA },
  {
    name: 'install',
    apart: true,
    release: true,
    run: 'node scripts/test-install.mjs --all',
    cases: PASSED,
    needs: ['prebuilds'],
    minutes: 25,
  },
  ...NODES.map((version) => ({
    name: `suite-${version}`,
    run: `TEST_SHARE=0.5 scripts/checks.sh on_node ${version} 'dist/test/**/*.test.js'`,
    cases: MOCHA,
    release: true,
    needs: ['prebuilds', `with-${version}`],
    minutes: 30,
  })),
]

const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) endGroup(child)
    process.kill(process.pid, signal)
  })
}

/** Kills everything that the shell has started too, as it leads a process group. */
function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group has just ended.
  }
}

/** Runs a command. Resolves to how it ended. */
function run(name, { run: command, cases, minutes = 15 }) {
  const log = join(logs, `${name}.log`)
  const file = openSync(log, 'w')
  const start = performance.now()
  const env = { ...process.env, LC_NUMERIC: 'C' }
  const child = spawn('bash', ['-c', `trap times EXIT\n${command}`], { cwd: root, detached: true, env, stdio: ['ignore', file, file] })
  closeSync(file)
  running.add(child)
  return new Promise((resolve) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      endGroup(child)
    }, minutes * 60_000)
    const settle = (failure) => {
      clearTimeout(timer)
      running.delete(child)
      const output = readFileSync(log, 'utf8')
      const count = cases && [...output.matchAll(cases)].reduce((sum, [, number]) => sum + Number(number), 0)
      const result = late ? `over ${minutes} min` : (failure ?? (count === 0 ? 'FAILED: no cases' : 'passed'))
      const [, userMinutes, user, systemMinutes, system] = [...output.matchAll(TIMES)].at(-1) ?? []
      const processor = user && Math.round((Number(userMinutes) + Number(systemMinutes)) * 60 + Number(user) + Number(system))
      const seconds = Math.round((performance.now() - start) / 1000)
      resolve({ check: name, cases: count ?? '', seconds, processor: processor ?? '', result, output })
    }
    child.once('error', (error) => settle(`FAILED: ${error.message}`))
    child.once('close', (code, signal) => settle(code === 0 ? undefined : `FAILED: ${signal ?? code}`))
  })
}

const prepared = new Map()

/** Makes what is needed, once. Resolves to whether that succeeded. */
function prepare(name) {
  let preparation = prepared.get(name)
  if (preparation === undefined) {
    preparation = (async () => {
      if (!(await prepareAll(PREPARATIONS[name].needs ?? []))) return false
      return report(await run(name, PREPARATIONS[name]))
    })()
    prepared.set(name, preparation)
  }
  return preparation
}

async function prepareAll(names) {
  for (const name of names) if (!(await prepare(name))) return false
  return true
}

/** Prints how a command ended, and the end of its log if it failed. Returns whether it passed. */
function report({ check, cases, seconds, processor, result, output }) {
  const counts = [cases !== '' && `${cases} cases`, `${seconds} s`, processor !== '' && `${processor} processor seconds`]
  console.log(`${new Date().toISOString().slice(11, 19)}  ${check}: ${[result, ...counts].filter(Boolean).join(', ')}`)
  if (result === 'passed') return true
  console.log(output.trimEnd().split('\n').slice(-40).join('\n').replaceAll(/^/gm, '    '))
  console.log(`    All of it is in build/verify/${check}.log`)
  return false
}

/** Takes checks from the front of the list, and runs them, until there are none left. */
async function runAll(checks, rows) {
  for (let check; (check = checks.shift()) !== undefined;) {
    const row = (await prepareAll(check.needs ?? ['build']))
      ? await run(check.name, check)
      : { check: check.name, cases: '', seconds: 0, processor: '', result: 'not run: a preparation failed', output: '' }
    report(row)
    rows.set(check, row)
  }
}

function wanted(args) {
  if (args.length === 0) return CHECKS.filter(({ release }) => !release)
  if (args.length === 1 && args[0] === '--release') return CHECKS.filter(({ release }) => release)
  if (args.length !== 2 || args[0] !== '--only') throw new Error('usage: npm run verify [-- (--release | --only NAME,NAME... | --list)]')
  const names = args[1].split(',')
  for (const name of names) {
    if (!CHECKS.some((check) => check.name.startsWith(name))) throw new Error(`there is no check ${name}; --list prints all`)
  }
  return CHECKS.filter((check) => names.some((name) => check.name.startsWith(name)))
}

async function verify(checks) {
  rmSync(logs, { recursive: true, force: true })
  mkdirSync(logs, { recursive: true })
  // One run makes all prebuilds, and two at a time would be in each other's way.
  if (checks.some(({ needs }) => needs?.includes('prebuilds'))) PREPARATIONS['prebuild-arm64'] = { run: 'true', needs: ['prebuilds'] }
  const rows = new Map()
  const start = performance.now()
  const apart = checks.filter((check) => check.apart)
  const beside = checks.filter((check) => check.beside)
  const tests = checks.filter((check) => !check.apart && !check.beside)
  const testing = runAll(tests, rows).then(() => runAll(apart, rows))
  await Promise.all([testing, runAll(apart, rows), runAll(beside, rows)])
  const all = checks.map((check) => rows.get(check))
  console.log(`\n| check | cases | seconds | processor seconds | result |\n| --- | ---: | ---: | ---: | --- |`)
  for (const { check, cases, seconds, processor, result } of all) {
    console.log(`| ${check} | ${cases} | ${seconds} | ${processor} | ${result} |`)
  }
  const failed = all.filter(({ result }) => result !== 'passed').length
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`\n${all.length - failed} passed, ${failed} failed, in ${Math.floor(seconds / 60)} min ${seconds % 60} s`)
  process.exitCode = failed === 0 ? 0 : 1
}

if (process.argv[2] === '--list')
  for (const { name, release, run: command } of CHECKS) console.log(`${name}${release ? ' (--release)' : ''}: ${command}`)
else {
  try {
    await verify(wanted(process.argv.slice(2)))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
