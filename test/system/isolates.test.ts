/**
 * Many isolates load the package one after another, use all of it, and end. They leave nothing
 * behind.
 */
import { strict as assert } from 'node:assert'
import { runProcess } from '../support.js'

const ISOLATES = Number(process.env.ISOLATES ?? 20)

interface Held {
  megabytes: number
  threads: number
  files: number
  mappings: number
}

describe('isolates, a few at a time', function () {
  this.timeout(60_000 + 1000 * ISOLATES)

  // Only on Linux can the resources of a process be counted.
  if (process.platform !== 'linux') return

  // A tenth is enough to see that main, which keeps the addon loaded, makes no difference.
  const CASES: [where: string, isolates: number][] = [
    ['beside main', Math.min(ISOLATES, Math.max(20, Math.ceil(ISOLATES / 10)))],
    ['in workers alone', ISOLATES],
  ]
  for (const [where, isolates] of CASES) {
    it(`leave no memory, thread, file or mapping behind: ${isolates} of them, ${where}`, async () => {
      const { code, signal, stdout, stderr } = await runProcess('isolates-process', [String(isolates), where], 30_000 + 1000 * isolates)
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
      const { early, late } = JSON.parse(stdout) as { early: Held; late: Held }
      const text = `at first ${JSON.stringify(early)}, at the end ${JSON.stringify(late)}`
      if (process.env.ISOLATES !== undefined) console.log(`      ${text}`)
      assert.ok(late.threads <= early.threads && late.files <= early.files, text)
      // Heaps of V8 vary by megabytes from run to run. A thousand isolates, as verify starts, would
      // leave more than that behind.
      assert.ok(late.mappings <= early.mappings + Math.max(40, isolates / 20), text)
      assert.ok(late.megabytes <= early.megabytes + 30, text)
    })
  }
})
