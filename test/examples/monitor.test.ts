/** The example of a monitor: what it draws, and how it leaves a real terminal. */
import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { type Row, short, table } from '../../examples/monitor/view.js'
import { within } from '../support.js'

const PROGRAM = fileURLToPath(new URL('../../examples/monitor/main.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('../../../test/fixtures/terminal.py', import.meta.url))

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'

async function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { env: { ...process.env, TERM: 'xterm-256color', ...environment } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
  try {
    const [code] = (await within(`the end of ${args.join(' ')}`, once(child, 'close'), 30_000)) as [number | null]
    return { code, output }
  } finally {
    child.kill('SIGKILL')
  }
}

describe('examples/monitor', function () {
  this.timeout(60_000)

  const quiet: Row = {
    name: 'jobs',
    capacity: 1000,
    closed: false,
    depth: 0,
    putsPerSecond: 0,
    getsPerSecond: 0,
    waitingPuts: 0,
    waitingGets: 2,
    dropped: 0,
    dropping: false,
  }
  const busy: Row = {
    ...quiet,
    name: 'a queue whose name is as long as a name may be, which is 64 units',
    capacity: 99_999,
    depth: 99_999,
    putsPerSecond: 12_345_678,
    getsPerSecond: 4_000_000_000,
    waitingPuts: 12,
    waitingGets: 34,
    dropped: 4_294_967_295,
    dropping: true,
  }
  const hostile: Row = { ...quiet, name: 'a\x1b[2Jb\nc' }
  const finished: Row = { ...quiet, name: 'done', closed: true }

  for (const columns of [60, 120]) {
    it(`draws an aligned table at ${columns} columns, with and without colours`, () => {
      const rows = [quiet, busy, hostile, finished]
      const plain = table(rows, { columns, colours: false })
      assert.equal(plain.length, 5)
      for (const line of plain) assert.ok(line.length <= columns, `${line.length} characters: ${line}`)
      assert.equal(new Set(plain.map(({ length }) => length)).size, 1, plain.join('\n'))
      assert.match(plain[0] as string, /queue +depth +in\/s +out\/s +waiting +dropped$/u)
      assert.match(plain[1] as string, /^jobs +·+ +0\/1000 +0 +0 +0p 2g +0$/u)
      assert.match(plain[2] as string, /^a queue.*… █+ 99999\/99999 +12\.3M +4000M +12p 34g +4295M$/u)
      assert.match(plain[3] as string, /^a\?\[2Jb\?c /u)
      assert.match(plain[4] as string, /^done +close/u)
      assert.deepEqual(table(rows, { columns, colours: true }).map(stripVTControlCharacters), plain)
    })
  }

  it('writes numbers in five characters', () => {
    const written = [0, 99_999, 99_999.6, 999_499, 999_500, 99_949_999, 99_950_000, 2 ** 32 - 1].map(short)
    assert.deepEqual(written, ['0', '99999', '100k', '999k', '1.0M', '99.9M', '100M', '4295M'])
  })

  it('prints plain lines where there is no terminal', async () => {
    const { code, output } = await run(process.execPath, [PROGRAM, '--seconds', '1.2'])
    assert.equal(code, 0, output)
    assert.ok(!output.includes('\x1b'), output)
    assert.match(output, /^samples +[█▏▎▍▌▋▊▉·]+ +\d+\/100 +\d+ +0 +0p 0g +\d+$/mu)
    assert.match(output, /The queues are closed and drained\.\n$/u)
  })

  describe('on a terminal', () => {
    const onTerminal = (columns: number, text: string, signal: string, ...options: string[]): ReturnType<typeof run> =>
      run('python3', [TERMINAL, String(columns), text, signal, process.execPath, PROGRAM, ...options])

    before(function () {
      if (process.platform === 'win32') this.skip()
    })

    for (const { how, columns, signal, options, code } of [
      { how: 'the program ends', columns: 60, signal: '', options: ['--seconds', '0.8'], code: 0 },
      { how: 'SIGTERM ends it', columns: 120, signal: 'SIGTERM', options: [], code: 128 + 15 },
      { how: 'an error ends it', columns: 60, signal: '', options: ['--fail'], code: 1 },
    ]) {
      it(`draws ${columns} columns, and leaves the terminal as it was when ${how}`, async () => {
        const { code: found, output } = await onTerminal(columns, 'samples', signal, ...options)
        assert.equal(found, code, output)
        const [before, shown = '', ...more] = output.split(ENTER)
        assert.equal(more.length, 0, 'it is entered once')
        assert.equal(before, '')
        const [drawn = '', after, ...again] = shown.split(LEAVE)
        assert.equal(again.length, 0)
        assert.ok(after !== undefined, 'the terminal is left as the monitor needs it')
        assert.ok(!after.includes('\x1b[H') && !after.includes('\x1b[?'), after)
        if (options.includes('--fail')) assert.match(after, /TypeError/u, 'the error is on the screen that is left')
        for (const line of stripVTControlCharacters(drawn).split('\r\n')) assert.ok(line.length <= columns, line)
        assert.match(stripVTControlCharacters(drawn), /jobs +[█▏▎▍▌▋▊▉·]+ +\d+\/1000/u)
      })
    }

    it('can be stopped and continued like other programs', async () => {
      const { code, output } = await onTerminal(80, 'samples', 'SIGTSTP', '--seconds', '0.8')
      assert.equal(code, 0)
      assert.equal(output.split(ENTER).length, 3, 'the screen was not entered again')
      assert.equal(output.split(ENTER).length, output.split(LEAVE).length)
    })
  })
})
