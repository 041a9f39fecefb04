/**
 * Signals shared by several handlers: those of this package, of another copy of it, of libuv, and
 * of other addons.
 */
import assert from 'node:assert/strict'
import vm from 'node:vm'
import { attachSignal, type SignalInfo, signalInfo, SignalTimer, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { nativeAddon } from '../fixtures/native-addon.js'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import { copyOfPackage } from '../fixtures/signals-shared.js'
import { constants } from 'node:os'
import { runProcess, SHARE } from '../support.js'

const PATIENCE = 120_000

if (process.platform !== 'win32') {
  describe('a signal that several handlers share', function () {
    this.timeout(2 * PATIENCE)

    let copy: ReturnType<typeof copyOfPackage>

    before(async () => {
      await buildNativeAddon()
      copy = copyOfPackage()
    })
    after(() => copy.remove())

    // With seed 266 two copies call each other, and one's handler is called again by way of the
    // other.
    for (const seed of [1, 2, 3, 266]) {
      it(`reaches each once, in whatever order they come and go (seed ${seed})`, async () => {
        const { code, signal, stdout, stderr } = await runProcess('signals-chain', [copy.entry, `${seed}`], PATIENCE)
        assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'each once\n', stderr: '' })
      })
    }

    it('is received again after another attach, where the handler of its source was replaced', () => {
      const addon = nativeAddon()
      const { SIGWINCH } = constants.signals
      const queue = new ThreadSafeQueue<SignalInfo>(10, { type: signalInfo })
      const source = attachSignal('SIGWINCH', queue)
      assert.equal(source.stats().installed, true)
      addon.setDisposition(SIGWINCH, 1)
      assert.equal(source.stats().installed, false)
      addon.raiseSignal(SIGWINCH)
      const other = attachSignal('SIGWINCH', queue)
      assert.deepEqual(source.stats(), { received: 0, delivered: 0, dropped: 0, installed: true })
      addon.raiseSignal(SIGWINCH)
      assert.equal(source.stats().received, 1)
      other.detach()
      source.detach()
      assert.equal(source.stats().installed, false)
      assert.equal(addon.disposition(SIGWINCH), 'ignored')
      addon.setDisposition(SIGWINCH, 0)
    })
  })

  describe('signal sources beside other handlers', function () {
    this.timeout(2 * PATIENCE)

    const expectEnd = async (role: string): Promise<void> => {
      const { code, signal, stdout, stderr } = await runProcess('signals-others', [role], PATIENCE)
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'end\n', stderr: '' })
    }

    it('survive storms of several signals and of children, together with listeners', () => expectEnd('storms'))

    it('of SIGCHLD receive the signal of each child, with or without listeners', () => expectEnd('children'))

    if (process.platform === 'linux') {
      it("of SIGPROF work before, beside and after V8's profiler, and report when they do not", () => expectEnd('profiler'))
    }

    it('leave the default action behind when they and the listeners are gone', async () => {
      const { signal, stdout } = await runProcess('signals-others', ['default'], PATIENCE)
      assert.deepEqual({ signal, stdout }, { signal: 'SIGUSR2', stdout: 'gone\n' })
    })

    if (process.platform === 'linux') {
      it('lose nothing, and block nothing, while all of this happens at once', async () => {
        // In less time V8's profiler may not have given SIGPROF back once.
        const minutes = 0.33 * Math.max(SHARE, 0.1)
        const { code, signal, stdout, stderr } = await runProcess('signals-soak', ['--minutes', String(minutes)], PATIENCE)
        assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
        assert.match(stdout, /^children [1-9]\d*, .* profiles [1-9]\d*, /)
      })
    }
  })

  if (process.platform === 'linux') {
    describe('a heartbeat', () => {
      const make = (heartbeat: BigUint64Array) => new SignalTimer(100_000, new ThreadSafeEvent(), { heartbeat, olderThan: 1000 })

      it('may be of another realm', () => {
        const context = vm.createContext({})
        for (const type of ['BigUint64Array', 'BigInt64Array']) {
          make(vm.runInContext(`new ${type}(new SharedArrayBuffer(16), 8)`, context) as BigUint64Array).stop()
        }
      })

      it('is read where it really is, whatever its own properties say', () => {
        const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
        const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
        const shared = new SharedArrayBuffer(8)
        const lie = (array: BigUint64Array, properties: PropertyDescriptorMap) => Object.defineProperties(array, properties)
        let reads = 0
        const buffer = { get: () => (reads++ === 0 ? shared : new ArrayBuffer(8)) }
        assert.throws(() => make(lie(new BigUint64Array(1), { buffer })), type)
        assert.throws(() => make(lie(new BigUint64Array(1), { buffer: { value: shared } })), type)
        assert.throws(() => make(lie(new BigUint64Array(new SharedArrayBuffer(0)), { length: { value: 1 } })), value)
        const properties = { buffer, byteOffset: { value: 1e9 }, BYTES_PER_ELEMENT: { value: 1 }, length: { value: 0 } }
        make(lie(new BigUint64Array(shared), properties)).stop()
        assert.equal(reads, 0)
        assert.throws(() => make(Object.create(BigUint64Array.prototype, { buffer: { value: shared } }) as BigUint64Array), type)
      })
    })
  }
}
