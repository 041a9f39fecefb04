/** Runs each example of shared data as a program. The programs check what they show. */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const EXAMPLES = ['pool-lock', 'pool-handler', 'pool-look', 'frames', 'message']

describe('the example', () => {
  for (const name of EXAMPLES) {
    it(`${name} runs, and its checks of what it shows pass`, async function () {
      this.timeout(60_000)
      const file = fileURLToPath(new URL(`../../examples/shared/${name}.js`, import.meta.url))
      const { code, stdout, stderr } = await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        const child = execFile(process.execPath, [file], { timeout: 50_000 }, (_, stdout, stderr) => {
          resolve({ code: child.exitCode ?? -1, stdout, stderr })
        })
      })
      assert.equal(stderr, '')
      assert.match(stdout, process.platform === 'win32' ? /^[✓-] /mu : /^✓ /mu)
      assert.equal(code, 0, stdout)
    })
  }
})
