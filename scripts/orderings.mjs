// The table of memory orderings: each atomic operation of the core, what happens when its order is
// weakened, and which model finds that; and each of all other native code that ships, with why its
// order suffices. native/model/orderings.txt has the rows. This script compares them with the
// source, and runs the models.
//
//     node scripts/orderings.mjs           checks that each operation has a row, and prints the table
//     node scripts/orderings.mjs --run     also checks that the models (build/ctest) catch the errors
//     node scripts/orderings.mjs --find    prints rows, with what models find, for operations without
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const rowsFile = 'native/model/orderings.txt'
const models = `${root}build/ctest/native/model/`

// The models that use each file of the core, the likeliest first.
const modelsOf = {
  'atomic.h': ['record'],
  'buffers.h': ['record'],
  'deferred.h': ['queue', 'event', 'select'],
  'event.h': ['event', 'select'],
  'lock.h': ['lock'],
  'pool.h': ['pool'],
  'positions.h': ['join', 'exact'],
  'queue.h': ['queue', 'join', 'exact', 'close', 'spanning'],
  'record.h': ['record'],
  'ring.h': ['ring', 'queue', 'exact', 'close', 'spanning', 'select', 'join'],
  'token.h': ['spanning'],
  'unfinished.h': ['join'],
  'use_count.h': ['use'],
  'wait.h': ['queue', 'event', 'loops', 'select', 'pool', 'lock', 'spanning'],
}
// Folders whose code does not ship, or is made. All others beside the core are covered by no model:
// the rows of what they hold are arguments.
const unshipped = ['bench', 'build', 'fuzz', 'model', 'test']

const operations = /(?:\.|->)(load|store|exchange|fetch_\w+|compare_exchange_(?:weak|strong)|test_and_set)\s*\(/g
// Outside the core, calls of what core/atomic.h has for WebAssembly count too.
const helpers = /\b(store_relaxed|store_release_before)\(/g
// Ways around std::atomic that have no rows.
const others = /\b(?:atomic_(?!thread_fence\b)\w+|__atomic_\w+|__sync_\w+|_?Interlocked\w+)\b/g

// Returns the text with its comments blanked out, so that positions stay the same.
function withoutComments(text) {
  return text.replaceAll(/\/\/.*/g, (comment) => ' '.repeat(comment.length))
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length
}

function matching(text, open) {
  let depth = 0
  for (let k = open; k < text.length; k++) {
    if (text[k] === '(' || text[k] === '[') depth++
    if ((text[k] === ')' || text[k] === ']') && --depth === 0) return k
  }
  throw new Error(`unbalanced: ${text.slice(open, open + 80)}`)
}

// Returns the expression that ends there, such as `slots_.stamp(index)`.
function objectBefore(text, end) {
  let at = end
  while (/\s/.test(text[at - 1])) at--
  for (;;) {
    if (text[at - 1] === ')' || text[at - 1] === ']') {
      let depth = 0
      do {
        at--
        if (text[at] === ')' || text[at] === ']') depth++
        if (text[at] === '(' || text[at] === '[') depth--
      } while (depth > 0)
    } else if (/[\w.]/.test(text[at - 1])) {
      at--
    } else {
      return text.slice(at, end).trim()
    }
  }
}

const functionLine =
  /^ {0,2}(?:(?:inline|constexpr|static|explicit|template <[^>]*>|EXPORT\("\w+"\)) )*[\w:][\w:<>*& ]*[ *&](?:\w+::)*(\w+)\((?:.*\{.*|[^;]*,)$/
const constructorLine = /^ {2}(?:explicit )?([A-Z]\w+)\([^;]*$/

function functionAt(lines, line) {
  for (let k = line; k >= 0; k--) {
    const found = functionLine.exec(lines[k]) ?? constructorLine.exec(lines[k])
    if (found && !/^ *(?:return|if|for|while|static_assert|else|do)\b/.test(lines[k])) return found[1]
  }
  throw new Error(`no function at ${lines[line]}`)
}

function codeOf(file) {
  return withoutComments(readFileSync(`${root}native/${file.includes('/') ? file : `core/${file}`}`, 'utf8'))
}

function operationsIn(file) {
  const ofCore = !file.includes('/')
  const path = ofCore ? `core/${file}` : file
  const text = codeOf(file)
  const lines = text.split('\n')
  const found = []
  const times = new Map()
  for (const match of text.matchAll(operations)) {
    const open = match.index + match[0].length - 1
    const orders = [...text.slice(open, matching(text, open)).matchAll(/\bmemory_order_(\w+)/g)].map((order) => order[1])
    // A wrapper gets its orders from its caller, and a nested operation has its own.
    const nested = [...text.slice(open, matching(text, open)).matchAll(operations)].length
    const own = nested > 0 && orders.length > 1 && match[1] === 'store' ? orders.slice(-1) : orders
    if (own.length === 0) {
      if (ofCore) continue
      own.push('seq_cst')
    }
    const line = lineOf(text, match.index + match[0].indexOf(match[1]))
    const object = objectBefore(text, match.index)
    // Compilers differ in which of two lines is the operation's, so that --weaken might never meet it.
    if (modelsOf[file] && lineOf(text, text.lastIndexOf(object, match.index)) !== line) {
      throw new Error(`${path}:${line}: an operation must stand in one line with its object`)
    }
    const name = [file, functionAt(lines, line - 1), `${object}.${match[1]}`].join(' ').replaceAll(/\(\s*|\s*\)/g, (c) => c.trim())
    const key = `${name.replaceAll(/, /g, ',')} ${own.join('/')}`
    times.set(key, (times.get(key) ?? 0) + 1)
    found.push({ file, line, operation: match[1], orders: own, key: times.get(key) > 1 ? `${key} #${times.get(key)}` : key })
  }
  for (const match of ofCore ? [] : text.matchAll(helpers)) {
    const line = lineOf(text, match.index)
    found.push({ file, line, operation: 'store', orders: ['relaxed'], key: `${file} ${functionAt(lines, line - 1)} ${match[1]}` })
  }
  for (const match of text.matchAll(/atomic_thread_fence\((?:std::)?memory_order_(\w+)\)/g)) {
    const line = lineOf(text, match.index)
    found.push({ file, line, operation: 'fence', orders: [match[1]], key: `${file} ${functionAt(lines, line - 1)} fence ${match[1]}` })
  }
  return found
}

// Fails for what the above would not see: operators of std::atomic, and ways around it. The core is
// compiled over the models' atomics too, which have no operators.
function checkSpelling(files) {
  const code = files.map(codeOf).join('\n')
  const declared = [...code.matchAll(/\batomic<.*> (\w[^;>()]*);/g)].flatMap((found) => found[1].split(', '))
  // A name that is declared as something else too can't be told apart.
  const isClear = (name) => !new RegExp(`^ *(?:const )?(?:struct )?[\\w:]+ (?:\\w+, )*${name}\\b[^(]*;`, 'm').test(code)
  const names = declared.map((declaration) => /^\w+/.exec(declaration)[0]).filter(isClear)
  const name = `\\b(?:${names.join('|')})\\b`
  const operators = new RegExp(
    `(?:\\+\\+|--)[\\w.>-]*${name}(?![.-])|(?<=[{;]\\s*)${name} ?[-+|&^]?=(?!=)|(?<!: \\w+\\.)(?<=\\.|->)${name} ?(?:[-+|&^]?=|\\+\\+|--|[)?<>]|&&|\\|\\||!=)`,
    'g',
  )
  for (const file of files) {
    const text = codeOf(file)
    for (const match of [...text.matchAll(operators), ...text.matchAll(others)]) {
      throw new Error(
        `native/${file}:${lineOf(text, match.index)}: write ${match[0]} as a member function of std::atomic, which gets a row`,
      )
    }
  }
}

// Returns the orders one step weaker than that one, for that kind of operation.
function weaker(operation, order) {
  const read = operation === 'load' || operation === 'failure'
  if (order === 'seq_cst') return read ? ['acquire'] : operation === 'store' ? ['release'] : ['acq_rel']
  if (order === 'acq_rel') return ['acquire', 'release']
  return order === 'relaxed' ? [] : ['relaxed']
}

// Returns the orders that are one step weaker, as the rows name them. For a compare-exchange they
// include those of a failing one.
function firstSteps(op) {
  const steps = weaker(op.operation, op.orders[0])
  if (op.operation.startsWith('compare')) steps.push(...weaker('failure', op.orders[1]).map((order) => `failure=${order}`))
  return steps
}

function nextSteps(op, step) {
  if (!step.startsWith('failure=')) return weaker(op.operation, step)
  return weaker('failure', step.slice('failure='.length)).map((order) => `failure=${order}`)
}

// Returns whether a row says what happens with that order: a model catches it, or the row argues
// why it, or an even weaker one, does no harm. An argument covers the orders in between.
function tells(op, row, step) {
  const line = row.find((one) => one.order === step)
  if (line?.model) return true
  const next = nextSteps(op, step)
  return next.length > 0 ? next.every((weakerStep) => tells(op, row, weakerStep)) : line !== undefined
}

// Returns the rows by operation, and the arguments that have a name. A line that is indented by
// four spaces or more continues the line before.
function readRows() {
  const rows = new Map()
  const named = new Map()
  if (!existsSync(root + rowsFile)) return { rows }
  const text = readFileSync(root + rowsFile, 'utf8').replaceAll(/\n {4,}/g, ' ')
  let row
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const argument = /^= (\w+): (.*)$/.exec(line)
    const said = /^ {2}(\S+) +(?:- (?<argument>.*)|= (?<name>\w+)|(?<model>\w+) (?<scenarios>\w+(?: \w+)*))$/.exec(line)
    if (argument) {
      named.set(argument[1], argument[2])
    } else if (said) {
      const { name, model, scenarios } = said.groups
      if (name && !named.has(name)) throw new Error(`${rowsFile}: there is no argument ${name}`)
      row.push({ order: said[1], argument: said.groups.argument ?? named.get(name), model, scenarios })
    } else {
      if (rows.has(line)) throw new Error(`${rowsFile}: ${line} is there twice`)
      rows.set(line, (row = []))
    }
  }
  return { rows }
}

function weakening(op, order) {
  const [name, value] = order.startsWith('failure=') ? ['failure', order.slice(8)] : [op.operation, order]
  return `core/${op.file}:${op.line}:${name}=${value}`
}

// Returns the scenarios that are tried at random, whose failures are found soon.
function scenariosOf(model) {
  const text = readFileSync(`${root}native/model/${model}_model.cc`, 'utf8')
  return [...text.matchAll(/\bscenario<.*?, "(\w+)">/g)].map((found) => found[1])
}

function find(op, order) {
  for (const model of process.env.MODELS?.split(',') ?? modelsOf[op.file]) {
    const run = spawnSync(
      'timeout',
      [
        '40',
        `${models}${model}_model`,
        '--find',
        '--iterations',
        process.env.ITERATIONS ?? '4000',
        '--preemptions',
        '2',
        '--weaken',
        weakening(op, order),
        ...scenariosOf(model),
      ],
      { encoding: 'utf8' },
    )
    if (run.status === 0) return `${model} ${run.stdout.trim().split('\n').at(-1).split(':')[0]}`
  }
}

function printFound(op) {
  console.log(op.key)
  if (isRelaxed(op)) return console.log('  relaxed - ?')
  const steps = firstSteps(op)
  for (let k = 0; k < steps.length; k++) {
    const caught = find(op, steps[k])
    console.log(`  ${steps[k]} ${caught ?? '- ?'}`)
    if (!caught) steps.push(...nextSteps(op, steps[k]).filter((next) => !steps.includes(next)))
  }
}

// Returns what is wrong with a row: what it lacks, and what it says of orders that are not weaker.
function complaintsAbout(op, row) {
  if (!row) return [`${rowsFile} has no row for ${op.key} (line ${op.line})`]
  if (!modelsOf[op.file] || isRelaxed(op)) {
    return row.some((line) => line.argument && line.order === op.orders[0]) ? [] : [`${op.key}: there is no argument for its order`]
  }
  const complaints = []
  for (const step of firstSteps(op)) {
    if (!tells(op, row, step)) complaints.push(`${op.key}: the row does not say what happens with ${step} and what is weaker`)
  }
  for (const line of row) {
    if (line.model && !modelsOf[op.file].includes(line.model)) complaints.push(`${op.key}: ${line.model} is not a model of ${op.file}`)
  }
  return complaints
}

function isRelaxed(op) {
  return op.orders.every((order) => order === 'relaxed')
}

// Runs the model with that operation weakened. Returns what the model prints if it passes.
function missed(op, line) {
  const options = ['--must-fail', '--weaken', weakening(op, line.order), ...line.scenarios.split(' ')]
  const run = spawnSync(`${models}${line.model}_model`, options, { encoding: 'utf8' })
  return run.status === 0 ? undefined : (run.error?.message ?? run.stdout.trim())
}

function printTable(all, rows) {
  let file
  for (const op of all) {
    if (op.file !== file) console.log(`\n${(file = op.file)}`)
    console.log(`  ${op.key.slice(file.length + 1)}`)
    for (const line of rows.get(op.key)) {
      const said = line.argument ? `not load-bearing in the models: ${line.argument}` : `caught by ${line.model} ${line.scenarios}`
      console.log(`      ${!modelsOf[file] ? line.argument : isRelaxed(op) ? said : `${line.order}: ${said}`}`)
    }
  }
}

function check(all, rows, runs) {
  const complaints = all.flatMap((op) => complaintsAbout(op, rows.get(op.key)))
  const keys = new Set(all.map((op) => op.key))
  for (const key of rows.keys()) if (!keys.has(key)) complaints.push(`${rowsFile}: there is no such operation: ${key}`)
  if (complaints.length === 0) printTable(all, rows)
  let caught = 0
  if (complaints.length === 0) {
    for (const op of all) {
      for (const line of rows.get(op.key).filter((one) => one.model)) {
        caught++
        const said = runs ? missed(op, line) : undefined
        if (said !== undefined) complaints.push(`${op.key}: ${line.model} ${line.scenarios} does not notice ${line.order}: ${said}`)
      }
    }
  }
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) process.exit(1)
  const modelled = all.filter((op) => modelsOf[op.file])
  const loadBearing = modelled.filter((op) => rows.get(op.key).some((line) => line.model)).length
  const relaxed = modelled.filter(isRelaxed).length
  console.log(
    `\n${modelled.length} operations of the core: ${loadBearing} whose order is load-bearing in the models (${caught} weakenings ${runs ? 'caught' : 'are to be caught'}), ` +
      `${relaxed} relaxed ones, ${modelled.length - loadBearing - relaxed} argued.`,
  )
  const argued = all.filter((op) => !modelsOf[op.file])
  const folders = [...new Set(argued.map((op) => op.file.split('/')[0]))]
  const counts = folders.map((folder) => `${argued.filter((op) => op.file.startsWith(`${folder}/`)).length} of ${folder}`)
  console.log(`${argued.length} others, argued: ${counts.join(', ')}.`)
}

// The core's files by their names, all others by their paths in native/.
const files = readdirSync(`${root}native`, { recursive: true })
  .filter((path) => /\.(?:h|cc)$/.test(path) && !unshipped.includes(path.split('/')[0]))
  .map((path) => path.replace(/^core\//, ''))
  .sort((one, other) => one.includes('/') - other.includes('/') || (one < other ? -1 : 1))
checkSpelling(files.filter((file) => file.includes('/')))
const all = files.flatMap(operationsIn)
const { rows } = readRows()
const [mode, only] = process.argv.slice(2)

if (mode === '--find') {
  for (const op of all) {
    if (!rows.has(op.key) && modelsOf[op.file] && (!only || only.split(',').includes(op.file))) printFound(op)
  }
} else {
  check(all, rows, mode === '--run')
}
