/**
 * The buffer between JavaScript and the addon. Patched built-ins neither see nor break what goes
 * through it, and all evaluations of the package share it.
 */
import assert from 'node:assert/strict'
import { runProcess } from '../support.js'

describe('the buffer between JavaScript and the addon', () => {
  it('is not seen by patched methods, nor taken away', async () => {
    const { code, stdout, stderr } = await runProcess('scratch-process')
    assert.deepEqual([code, stdout.trim(), stderr], [0, '', ''])
  })

  // GCC on Linux makes one of the tables of both addons (native/platform/process_wide.h).
  it('and all else serves two copies of the package in one process', async function () {
    if (process.platform !== 'linux') this.skip()
    const { code, stderr } = await runProcess('copies-process')
    assert.deepEqual([code, stderr], [0, ''])
  })

  it('serves two evaluations of the package in one thread', async () => {
    const { code, stderr } = await runProcess('instances-values')
    assert.deepEqual([code, stderr], [0, ''])
  })
})
