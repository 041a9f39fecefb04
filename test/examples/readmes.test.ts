/**
 * Runs the commands that the READMEs of the examples print, as a reader would, but for less time.
 * `README_AS_PRINTED=1` runs them to the letter.
 */
import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../package/documents.js'
import { HAS_SERVER, RedisServer } from '../redis/server.js'
import { within } from '../support.js'
import { missingNats, NatsServer } from './nats-server.js'

const AS_PRINTED = process.env.README_AS_PRINTED !== undefined
const PATIENCE = AS_PRINTED ? 300_000 : 60_000

/** Parts of commands that take long or write outside the test's directory, and their replacements. */
const LESS: ReadonlyArray<readonly [string, string]> = [
  ['--directory /tmp/logs', '--directory logs'],
  ['--megabytes 200', '--megabytes 4'],
  ['--megabytes 20', '--megabytes 2'],
  ['--rounds 5', '--rounds 1'],
  ['--lines 300000', '--lines 3000'],
  ['--kills 10', '--kills 2'],
  ['20e6', '2e6'],
]

/** Commands that the test has run in another way: building, and starting a server. */
const PREPARED = /^(npm ci|npm run build:ts|redis-server|nats-server)\b/

/**
 * For each README, what the last command of each of its blocks prints. Those that only Ctrl-C ends
 * get it when they have printed `interruptAfter`.
 */
const EXPECTED: Readonly<Record<string, ReadonlyArray<{ prints: RegExp; interruptAfter?: RegExp; server?: 'redis' | 'nats' }>>> = {
  beyond: [
    { prints: /^\d+ kills, and the same sums$/mu, server: 'redis' },
    { prints: /^\d+ kills, and the same sums$/mu, server: 'nats' },
    { prints: /^\/\S+: \d+ requests, \d+ failed$/mu, server: 'redis' },
  ],
  'log-pipeline': [{ prints: /^worker-4 logged \d+ lines$/mu, interruptAfter: /logs to/u }],
  monitor: [{ prints: /^jobs +[█▏▎▍▌▋▊▉·]+ +\d+\/1000/mu, interruptAfter: /^samples /mu }],
  ndjson: [{ prints: /^pool, by tokens .* x$/mu }],
  'pino-transport': [{ prints: /^through a queue .* lines a second$/mu }],
}

/** Returns the commands of each block of indented lines that has any to run. */
function commandsIn(readme: string): string[][] {
  const blocks = readme.match(/^(?: {4}.*\n)+/gmu) ?? []
  const commands = (block: string): string[] => block.split('\n').map((line) => line.trim())
  return blocks.map((block) => commands(block).filter((line) => /^node /u.test(line))).filter(({ length }) => length > 0)
}

/** Whether the command runs in a terminal of its own, beside others. */
const isStage = (command: string): boolean => command.includes('stage.js')

describe('the READMEs of the examples', function () {
  this.timeout(PATIENCE + 10_000)

  let directory: string

  before(function () {
    if (process.platform === 'win32') this.skip()
  })

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-readmes-'))
    symlinkSync(join(ROOT, 'dist'), join(directory, 'dist'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  /** Resolves to what the command printed. Fails if it fails. */
  async function run(command: string, environment: NodeJS.ProcessEnv, interruptAfter?: RegExp): Promise<string> {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: directory, env: { ...process.env, ...environment } })
    let output = ''
    let interrupted = false
    const hear = (text: Buffer): void => {
      output += text.toString()
      if (!interrupted && interruptAfter?.test(output)) interrupted = child.kill('SIGINT')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    try {
      const [code, signal] = (await within(`the end of ${command}`, once(child, 'close'), PATIENCE)) as [number | null, string | null]
      assert.ok(code === 0 || (interrupted && signal === 'SIGINT'), `${command}: ${signal ?? code}\n${output}`)
    } finally {
      child.kill('SIGKILL')
    }
    return output
  }

  /** Starts the server, and calls with the environment that names it. */
  async function withServer(name: 'redis' | 'nats' | undefined, call: (environment: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
    if (name === undefined) return call({})
    const server = await (name === 'redis' ? RedisServer : NatsServer).start()
    try {
      await call(server instanceof NatsServer ? { NATS_URL: server.url } : { REDIS_URL: `redis://127.0.0.1:${server.port}` })
    } finally {
      await server.stop()
    }
  }

  const readmes = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, 'examples', entry.name, 'README.md')))
    .map(({ name }) => ({ name, text: readFileSync(join(ROOT, 'examples', name, 'README.md'), 'utf8') }))

  it('have the commands that are run here, and no others', () => {
    const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts
    assert.ok('build:ts' in scripts)
    assert.deepEqual(
      readmes.map(({ name, text }) => [name, commandsIn(text).length]),
      Object.entries(EXPECTED).map(([name, blocks]) => [name, blocks.length]),
    )
    const all = readmes.map(({ text }) => text).join('\n')
    for (const [printed] of LESS) assert.ok(all.includes(printed), `no README has ${printed}`)
    for (const { name, text } of readmes) {
      const others = (text.match(/^ {4}(?:npm|npx|redis-server|nats-server) .*$/gmu) ?? []).map((line) => line.trim())
      for (const command of others) assert.match(command, PREPARED, `${name}: ${command} is not run`)
    }
  })

  for (const { name, text } of readmes) {
    for (const [k, commands] of commandsIn(text).entries()) {
      const { prints, interruptAfter, server } = EXPECTED[name]?.[k] ?? assert.fail(`${name} has a block of commands that is not expected`)
      it(`${name}: ${commands.at(-1)}`, async function () {
        if (server === 'redis' && !HAS_SERVER) return this.skip()
        if (server === 'nats' && missingNats() !== undefined) return this.skip()
        const less = (command: string): string =>
          AS_PRINTED ? command : LESS.reduce((all, [printed, smaller]) => all.replace(printed, smaller), command)
        await withServer(server, async (environment) => {
          const start = (command: string): Promise<string> => run(less(command), environment, interruptAfter)
          let output: string | undefined
          for (const command of commands.filter((one) => !isStage(one))) output = await start(command)
          const outputs = await Promise.all(commands.filter(isStage).map(start))
          assert.match(outputs.at(-1) ?? output ?? '', prints)
        })
      })
    }
  }
})
