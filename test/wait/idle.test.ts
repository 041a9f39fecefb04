/** Waiting costs nothing: no polling, neither in a loop nor in a blocked thread. */
import assert from 'node:assert/strict'
import { runProcess } from '../support.js'

describe('idle', () => {
  it('takes less than 20 ms of processor time in five seconds', async () => {
    const { code, stdout, stderr } = await runProcess('idle-process', [], 50_000)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /^\d+$/)
    const microseconds = Number(stdout)
    assert.ok(microseconds < 20_000, `it took ${microseconds} us`)
  })
})
