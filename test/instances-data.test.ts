/** What goes through the buffer between JavaScript and the addon: neither seen nor broken by patched built-ins, and shared by all evaluations of the package. */
import assert from 'node:assert/strict'
import { runProcess } from './support.js'

describe('the buffer between JavaScript and the addon', () => {
  it('is not seen by patched methods, nor taken away', async () => {
    const { code, stdout, stderr } = await runProcess('scratch-process')
    assert.deepEqual([code, stdout.trim(), stderr], [0, '', ''])
  })

  it('serves two evaluations of the package in one thread', async () => {
    const { code, stderr } = await runProcess('instances-values')
    assert.deepEqual([code, stderr], [0, ''])
  })
})
