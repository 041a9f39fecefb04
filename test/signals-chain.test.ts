/** Signals that several handlers share: of this package, of another copy of it, of libuv, and of other addons. */
import assert from 'node:assert/strict'
import { buildNativeAddon } from './fixtures/native-addon.js'
import { copyOfPackage } from './fixtures/signals-shared.js'
import { runProcess } from './support.js'

const PATIENCE = 120_000

if (process.platform !== 'win32') {
  describe('a signal that several share', function () {
    this.timeout(2 * PATIENCE)

    let copy: ReturnType<typeof copyOfPackage>

    before(async () => {
      await buildNativeAddon()
      copy = copyOfPackage()
    })
    after(() => copy.remove())

    for (const seed of [1, 2, 3]) {
      it(`comes to each once, in whatever order they come and go (seed ${seed})`, async () => {
        const { code, signal, stdout, stderr } = await runProcess('signals-chain', [copy.entry, `${seed}`], PATIENCE)
        assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'each once\n', stderr: '' })
      })
    }
  })
}
