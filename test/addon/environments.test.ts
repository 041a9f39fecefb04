/**
 * Where the package is evaluated, and where it is called from: several times in a thread, in
 * contexts of node:vm, beside faked globals, in async contexts.
 */
import { strict as assert } from 'node:assert'
import { type Listener, native } from '../../lib/addon/native.js'
import { ThreadSafeQueue } from '../../lib/index.js'
import { collectGarbage } from '../fixtures/garbage.js'
import { runProcess, until } from '../support.js'

async function ends(fixture: string, args: string[] = [], nodeOptions: string[] = []): Promise<void> {
  const { code, stdout, stderr } = await runProcess(fixture, args, 60_000, [...nodeOptions, '--no-warnings'])
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'end\n', stderr: '' })
}

describe('the package', () => {
  it('evaluated twice in one thread works in both, and one does not take the wakes of the other', () => ends('instances-process'))

  it('evaluated in contexts of node:vm works in each', () => ends('context-process', [], ['--experimental-vm-modules']))

  it('needs none of the timers, clocks and methods that tests replace', () => ends('globals-process'))

  for (let first = 0; first < 7; first++) {
    it(`keeps nothing of the async context of the first call that waits (${first})`, () =>
      ends('async-context-process', [String(first)], ['--expose-gc']))
  }
})

describe('an evaluation of the package that is no longer used', () => {
  /** Listens as lib/wait/loop.ts does, once for each evaluation. */
  function listen(
    rings: number[],
    k: number,
  ): { listener: WeakRef<Listener>; keep: (waits: boolean) => void; function: WeakRef<() => void> } {
    const onLoop = (): void => void (rings[k] = (rings[k] ?? 0) + 1)
    const listener = native.listen(onLoop, Int32Array.of(1), new Float64Array(1 + native.rungLists)) as Listener
    const weak = new WeakRef(listener)
    return { listener: weak, keep: (waits) => native.keep(weak.deref() as Listener, false, waits), function: new WeakRef(onLoop) }
  }

  it('is not kept alive by the doorbell, unless calls of it wait', async () => {
    const rings: number[] = []
    const gone = listen(rings, 0)
    const waits = listen(rings, 1)
    const held = waits.listener.deref()
    waits.keep(true)
    const ring = async (): Promise<void> => {
      const queue = new ThreadSafeQueue<number>(1)
      const got = queue.get()
      queue.putSync(1)
      await got
    }
    await ring()
    // Our listener is called first, and the item is there before the others are called. A second
    // ring may be needed, as an evaluation that leaves a queue rings for the others.
    await until('a ring for each', () => Boolean(rings[0] && rings[1]))
    await until('the one that nobody uses to be collected', () => {
      collectGarbage()
      return gone.function.deref() === undefined && gone.listener.deref() === undefined
    })
    const [ofGone, ofOther] = [...rings] as [number, number]
    await ring()
    await until('another ring for the one that is left', () => (rings[1] as number) > ofOther)
    assert.equal(rings[0], ofGone)
    assert.ok(waits.function.deref() && held)
    waits.keep(false)
    await until('the other one to be collected when nothing waits any more', () => {
      collectGarbage()
      return waits.function.deref() === undefined
    })
    await ring()
  })
})
