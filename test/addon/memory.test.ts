/** Memory is freed: items and queues are gone once nothing refers to them. */
import { strict as assert } from 'node:assert'
import { native } from '../../lib/addon/native.js'
import { runProcess } from '../support.js'

describe('resident memory stays as it is', function () {
  const PATIENCE = 150_000
  /**
   * Newer versions of V8 otherwise let the young generation grow by hundreds of megabytes over
   * minutes.
   */
  const SMALL_YOUNG_GENERATION = ['--max-semi-space-size=8']
  this.timeout(2 * PATIENCE)

  const CASES: [what: string, task: string, count: number][] = [
    ['ten million objects go through a queue', 'objects', 10_000_000],
    ['50,000 queues and events are created and dropped', 'queues', 50_000],
  ]
  for (const [what, task, count] of CASES) {
    it(`while ${what}`, async () => {
      const { code, stdout, stderr } = await runProcess('memory-process', [task, String(count)], PATIENCE, SMALL_YOUNG_GENERATION)
      assert.equal(code, 0, stderr)
      const sizes = stdout
        .trim()
        .split('\n')
        .map((line) => Number(line) / 1e6)
      assert.equal(sizes.length, 10)
      // Growth in the first fifth is warm-up. Growth over eight more tenths would be a leak. Heaps
      // vary by a few megabytes.
      const early = Math.max(...sizes.slice(1, 3))
      const late = Math.min(...sizes.slice(-2))
      assert.ok(late < early + 20, `resident, in MB: ${sizes.map(Math.round).join(', ')}`)
    })
  }
})

describe('the memory that a signal handler reads', function () {
  this.timeout(30_000)

  it('stays as long as the source, even if the evaluation of the package that attached it is collected', async () => {
    const { code, signal, stdout, stderr } = await runProcess('collected-evaluation')
    assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'the evaluation function\n', stderr: '' })
  })
})

describe('the memory that a call sleeps in', function () {
  this.timeout(30_000)

  const { timeout } = native.status
  const CASES: [call: string, result: number][] = [
    ['waitBlocking', timeout],
    ['getBlocking', -timeout],
    ['putBlocking', timeout],
    ['putManyBlocking', timeout * 2 ** 32 + 1],
    ['selectBlocking', timeout],
  ]
  for (const [call, result] of CASES) {
    it(`stays when nothing else refers to it and garbage is collected (${call})`, async () => {
      const outcome = await runProcess('memory-blocked', [call])
      assert.deepEqual({ ...outcome, milliseconds: 0 }, { code: 0, signal: null, stdout: `${result}\n`, stderr: '', milliseconds: 0 })
    })
  }
})
