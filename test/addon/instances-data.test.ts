/**
 * The buffer between JavaScript and the addon. Patched built-ins neither see nor break what passes
 * through it, and all evaluations of the package share it.
 */
import assert from 'node:assert/strict'
import { runProcess } from '../support.js'

describe('the buffer between JavaScript and the addon', () => {
  it('can be neither seen nor detached by patched methods', async () => {
    const { code, stdout, stderr } = await runProcess('scratch-process')
    assert.deepEqual([code, stdout.trim(), stderr], [0, '', ''])
  })

  // On Linux GCC makes one table of those of both addons (native/platform/process_wide.h).
  it('serves two copies of the package in one process, as does everything else', async function () {
    if (process.platform !== 'linux') this.skip()
    const { code, stderr } = await runProcess('copies-process')
    assert.deepEqual([code, stderr], [0, ''])
  })

  it('serves two evaluations of the package in one thread', async () => {
    const { code, stderr } = await runProcess('instances-values')
    assert.deepEqual([code, stderr], [0, ''])
  })
})
