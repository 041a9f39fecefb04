/**
 * Queues that are dropped are freed in time, in all threads that had them. Each reserves 10 GiB of
 * address space, which is enough for about 12,800.
 */
import assert from 'node:assert/strict'
import { runProcess } from '../support.js'

describe('a queue for each request', () => {
  // Eight workers with little else to do would keep about 1,600 each, and a single one all of them.
  for (const workers of [8, 1]) {
    it(`of 14,000, to ${workers} workers, never runs out of memory`, async function () {
      this.timeout(120_000)
      const { code, stdout, stderr } = await runProcess('reply-process', ['14000', String(workers)], 110_000)
      assert.deepEqual([code, stdout.trim(), stderr], [0, '14000', ''])
    })
  }
})
