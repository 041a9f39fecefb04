/** Signal sources run long and often enough for rare events to happen. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runProcess, SHARE, within } from '../support.js'

const PATIENCE = 90_000

/**
 * An interval timer lives on in a program that the process executes. Node resets its signals when
 * it starts, so the first one is delayed until later.
 */
const WITH_ITIMER = `
import os, signal, sys
signal.setitimer(signal.ITIMER_PROF, 3, 0.001)
os.execvp(sys.argv[1], sys.argv[1:])`

if (process.platform === 'linux') {
  describe('a storm of signals', function () {
    this.timeout(2 * PATIENCE)

    it('of five timers of 1 kHz and an itimer, for many seconds, is accounted for to the last signal', async () => {
      const fixture = fileURLToPath(new URL('../fixtures/storm-process.js', import.meta.url))
      const child = spawn('python3', ['-c', WITH_ITIMER, process.execPath, fixture, 'storm', String(20_000 * SHARE), '1000'])
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
      try {
        const [code, signal] = (await within('the end of the storm', once(child, 'close'), PATIENCE)) as [number | null, string | null]
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, output)
        assert.match(output, /^\d+ workers; delivered \+ dropped: SIGPROF /)
      } finally {
        child.kill('SIGKILL')
      }
    })

    it('while hundreds of workers that have sources are terminated, leaves none attached', async () => {
      const { code, signal, stdout, stderr } = await runProcess('storm-process', ['terminations', String(500 * SHARE), '5'], PATIENCE)
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'end\n', stderr: '' })
    })
  })
}
