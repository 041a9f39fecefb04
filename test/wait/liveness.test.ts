/**
 * The calls that keep a process or a worker alive, those that do not, and the warning for blocking
 * the main thread for long.
 */
import { strict as assert } from 'node:assert'
import { finished, isDrawn, runProcess, startWorker, within } from '../support.js'

/** The exit codes of the fixture. */
const NOT_KEPT_ALIVE = 20
const SERVED = 21
const TIMED_OUT = 22

const CASES: [call: string, how: string, code: number][] = [
  ['idle', '', NOT_KEPT_ALIVE],
  ['idle', 'worked', NOT_KEPT_ALIVE],
  ['idle', 'closed', NOT_KEPT_ALIVE],
  ['idle', 'signal', NOT_KEPT_ALIVE],
  ...['get', 'next', 'forEach', 'forEach at work', 'join', 'put', 'wait'].flatMap((call): [string, string, number][] => [
    [call, 'as it is', SERVED],
    [call, 'unref first', NOT_KEPT_ALIVE],
    [call, 'unref then', NOT_KEPT_ALIVE],
    [call, 'unref later', NOT_KEPT_ALIVE],
    [call, 'ref again', SERVED],
    [call, 'ref later', SERVED],
    // ref() does not count: one unref() undoes several calls.
    [call, 'ref twice', NOT_KEPT_ALIVE],
  ]),
  ...['get', 'put', 'wait'].flatMap((call): [string, string, number][] => [
    [call, 'timeout', TIMED_OUT],
    [call, 'unref, timeout', NOT_KEPT_ALIVE],
  ]),
  ['get', 'two objects', SERVED],
  ['get', 'forgotten object', SERVED],
  ['get', 'unref of what is done', SERVED],
  ['get', 'return behind a get', SERVED],
]

describe('keeping alive', () => {
  const name = ([call, how]: [string, string, number]): string => (how ? `${call}, ${how}` : call)

  describe('a process', function () {
    for (const one of CASES.filter(isDrawn)) {
      const [call, how, code] = one
      it(`${code === NOT_KEPT_ALIVE ? 'ends' : 'waits'}: ${name(one)}`, async () => {
        const outcome = await runProcess('liveness-case', [call, how])
        assert.equal(outcome.stderr, '')
        assert.deepEqual([outcome.code, outcome.signal], [code, null])
      })
    }
  })

  describe('a worker', () => {
    for (const one of CASES.filter(isDrawn)) {
      const [call, how, code] = one
      it(`${code === NOT_KEPT_ALIVE ? 'ends' : 'waits'}: ${name(one)}`, async () => {
        assert.equal(await finished(startWorker('liveness-case', undefined, { argv: [call, how] })), code)
      })
    }
  })

  it('a worker with a pending call can be terminated', async () => {
    const worker = startWorker('liveness-case', undefined, { argv: ['get', 'as it is'] })
    const ended = finished(worker)
    await within('the start of a worker', new Promise((resolve) => worker.once('online', resolve)))
    await worker.terminate()
    await ended
  })
})

describe('blocking the main thread', () => {
  const warnings = (text: string): string[] => text.split('\n').filter((line) => line.length > 0)

  it('for over a second, in any call, gives one warning', async () => {
    const { code, stdout, stderr } = await runProcess('liveness-blocked', ['get:1300', 'put:1300', 'wait:1300'])
    assert.equal(code, 0)
    assert.match(stderr, /^\(node:\d+\) \[THREADSAFE_BLOCKED_LOOP\] Warning: [^\n]*\n$/)
    const [first, ...others] = warnings(stdout)
    assert.match(first ?? '', /^THREADSAFE_BLOCKED_LOOP Warning .*\b1[3-9]\d\d ms/)
    assert.deepEqual(others, [])
  })

  for (const call of ['put', 'wait']) {
    it(`for over a second, first by a ${call}, gives a warning as well`, async () => {
      const { stdout } = await runProcess('liveness-blocked', [`${call}:1300`])
      assert.match(stdout, /^THREADSAFE_BLOCKED_LOOP /)
    })
  }

  it('for hardly more than a second ends as it would without a warning, though emitWarning() was replaced and throws', async () => {
    const { stdout } = await runProcess('liveness-blocked', ['patched', 'get:1001'])
    assert.match(stdout, /^timed out$/m)
  })

  it('for less than a second each gives none', async () => {
    const { code, stdout, stderr } = await runProcess('liveness-blocked', ['get:400', 'put:400', 'wait:400'])
    assert.deepEqual([code, stdout, stderr], [0, '', ''])
  })

  it('is not what a worker does, so it gets no warning', async () => {
    const worker = startWorker('liveness-blocked', undefined, { argv: ['get:1300'], stdout: true })
    let text = ''
    worker.stdout.on('data', (data) => (text += String(data)))
    assert.equal(await finished(worker), 0)
    assert.equal(text, '')
  })
})
