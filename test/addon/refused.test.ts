/**
 * terminate() first makes Node refuse what addons ask of it, and then stops JavaScript. On a busy
 * machine JavaScript may run on between the two for as long as the terminating thread must wait.
 */
import assert from 'node:assert/strict'
import { buildNativeAddon, buildStopper } from '../fixtures/native-addon-build.js'
import { repetitions, runProcess } from '../support.js'

describe('an isolate to which Node refuses everything, as it is being stopped', function () {
  this.timeout(120_000)

  before(async () => {
    await buildNativeAddon()
    await buildStopper()
  })

  async function run(workers: number): Promise<string> {
    const seed = String(Math.floor(Math.random() * 2 ** 31))
    const { code, signal, stdout, stderr } = await runProcess('refused-process', [String(workers), seed], 100_000, ['--expose-gc'])
    const text = `seed ${seed}\n${stdout.slice(-3000)}\n${stderr}`
    assert.equal(signal ?? code, 0, text)
    assert.doesNotMatch(stdout, /FAILED|NOT REFUSED/, text)
    assert.equal(stdout.match(/^was refused$/gm)?.length, workers, text)
    return stdout
  }

  it('crashes in no call, whenever that begins', async () => {
    await run(repetitions(40))
  })

  it('leaves no memory behind', async () => {
    const workers = 40
    const stdout = await run(workers)
    const allocated = [...stdout.matchAll(/^allocated (\d+)$/gm)].map(([, bytes]) => Number(bytes))
    // The package's part of an isolate has 65 KiB and its objects. Node leaves some 40 KiB itself.
    const growth = ((allocated.at(-1) as number) - (allocated[workers / 2 - 1] as number)) / (workers / 2) / 1024
    assert(growth < 65, `each isolate has left ${growth.toFixed(1)} KiB behind: ${allocated.join(' ')}`)
  })
})
