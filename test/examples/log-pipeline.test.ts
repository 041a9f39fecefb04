/** Runs the example of a log pipeline as a process, which gets real signals. */
import { strict as assert } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, within } from '../support.js'

const PROGRAM = fileURLToPath(new URL('../../examples/log-pipeline/main.js', import.meta.url))
const MAX_BYTES = 20_000
const LONGEST_LINE = 100

describe('examples/log-pipeline', function () {
  this.timeout(60_000)

  let directory: string
  let child: ChildProcess
  let output = { stdout: '', stderr: '' }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-log-'))
  })

  afterEach(() => {
    child.kill('SIGKILL')
    for (const each of [directory, gone()]) rmSync(each, { recursive: true, force: true })
  })

  async function start(...options: string[]): Promise<void> {
    output = { stdout: '', stderr: '' }
    child = spawn(process.execPath, [PROGRAM, '--directory', directory, '--max-bytes', String(MAX_BYTES), ...options])
    child.stdout?.on('data', (text) => (output.stdout += String(text)))
    child.stderr?.on('data', (text) => (output.stderr += String(text)))
    await until('the first line of the program', () => output.stdout.includes('logs to'), 20_000)
  }

  const ended = async (): Promise<number | null> => {
    const [code] = (await within('the end of the program', once(child, 'close'), 20_000)) as [number | null]
    return code
  }

  const gone = (): string => `${directory}-gone`

  const files = (): string[] => readdirSync(directory).sort()

  /** Returns how many lines of each worker were accepted, by its own report. */
  const accepted = (): Record<string, number> =>
    Object.fromEntries([...output.stdout.matchAll(/^(worker-\d) logged (\d+) lines$/gmu)].map(([, name, lines]) => [name, Number(lines)]))

  /**
   * Returns how many lines of each worker are in the files. Fails if one is missing, doubled,
   * overtaken or torn.
   */
  function found(): Record<string, number> {
    const counts: Record<string, number> = { 'worker-1': 0, 'worker-2': 0, 'worker-3': 0, 'worker-4': 0 }
    for (const file of files()) {
      const lines = readFileSync(join(directory, file), 'utf8').split('\n')
      assert.equal(lines.pop(), '', `${file} ends in the middle of a line`)
      for (const line of lines) {
        const [, name = '', request] = /^\d{4}-\S+Z (worker-\d) request (\d+) returned \d+$/u.exec(line) ?? assert.fail(`${file}: ${line}`)
        counts[name] = (counts[name] as number) + 1
        assert.equal(Number(request), counts[name], `${file}: a line of ${name} is missing, or out of order`)
      }
    }
    return counts
  }

  // The moment is random: while workers start, or in the middle of writes and rotations.
  for (const [signal, filesBefore] of [
    ['SIGTERM', 1],
    ['SIGTERM', 2],
    ['SIGINT', 5],
  ] as const) {
    it(`has every accepted line in its files after ${signal} sent when there are ${filesBefore} files or more`, async function () {
      if (process.platform === 'win32') return this.skip()
      // With --sync the disk is slower than the workers, so the queue fills up.
      await start('--keep', 'Infinity', '--sync')
      await until(`file number ${filesBefore}`, () => files().length >= filesBefore, 20_000)
      const milliseconds = Math.random() * 100
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      child.kill(signal)
      assert.equal(await ended(), 0, output.stderr)
      assert.equal(output.stderr, '')
      assert.deepEqual(found(), accepted(), `after ${milliseconds} ms`)
    })
  }

  it('rotates by size and keeps the newest files', async () => {
    await start('--keep', '3')
    await until('the tenth file', () => files().some((file) => file >= 'app-000010.log'), 20_000)
    child.kill('SIGINT')
    assert.equal(await ended(), 0, output.stderr)
    const kept = files()
    assert.equal(kept.length, 3)
    for (const file of kept.slice(0, -1)) {
      const { size } = statSync(join(directory, file))
      assert.ok(size >= MAX_BYTES && size < MAX_BYTES + LONGEST_LINE, `${file} has ${size} bytes`)
    }
  })

  it('ends with an error when the files can no longer be written', async () => {
    await start()
    await until('the second file', () => files().length > 1, 20_000)
    // Renaming takes one step. Removing takes several, between which a new file may appear.
    renameSync(directory, gone())
    assert.equal(await ended(), 1)
    assert.match(output.stderr, /The writer failed, and [\d,]+ queued lines are lost[^]*ENOENT/u)
    assert.match(output.stdout, /worker-4 logged/u, 'workers wait for ever')
  })
})
