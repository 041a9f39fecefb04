/** The workers of the soak: those that stay, and the victims. */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { finished, startWorker, within } from '../support.js'
import { PATIENCE, type Soak, violation } from './soak.js'
import type { SharedHandles, SoakTask } from './worker.js'

type Wish = Pick<SoakTask, 'role'> & Partial<SoakTask>

export class Workers {
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #soak: Soak
  readonly #shared: SharedHandles

  constructor(soak: Soak, shared: SharedHandles) {
    this.#soak = soak
    this.#shared = shared
  }

  /** Tells the workers that stay to end. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1)
  }

  /** Starts a worker that stays. Resolves when it has ended by itself. */
  async steady(wish: Wish): Promise<void> {
    await finished(this.#start(wish), 2 ** 31 - 1)
  }

  /** Starts a worker that `kill` terminates. `begun` resolves when its code runs. */
  victim(wish: Wish): { begun: Promise<unknown>; kill(): Promise<void> } {
    const worker = this.#start(wish)
    const begun = once(worker, 'message', { signal: AbortSignal.timeout(PATIENCE) })
    return {
      begun,
      kill: async () => {
        begun.catch(() => undefined)
        await within(`the end of a victim, ${wish.role}`, worker.terminate(), PATIENCE)
        this.#soak.count('workers killed')
      },
    }
  }

  #start(wish: Wish): Worker {
    const task: SoakTask = {
      stop: this.#stop,
      sides: [],
      pick: 0,
      producer: 3,
      shared: this.#shared,
      seed: this.#soak.below(2 ** 31),
      ...wish,
    }
    const worker = startWorker('../soak/worker', task)
    worker.on('error', (error) => violation(this.#soak, `a worker, ${wish.role}`, error))
    return worker
  }
}
