/**
 * This thread's view of the other thread in the comparisons with models. It obeys, and may be
 * killed.
 */
import type { Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from '../../lib/index.js'
import type { Order } from '../fixtures/model-partner.js'
import { startWorker, within } from '../support.js'

const PATIENCE = 30_000

export class Partner {
  #worker: Worker | undefined
  #replies = new ThreadSafeQueue<unknown>(2)

  /** Gives an order. Resolves to the reply when it has been carried out. */
  async told(order: Order): Promise<unknown> {
    this.#worker ??= startWorker('model-partner', this.#replies.handle)
    this.#worker.postMessage(order)
    return within(`the reply to "${order.does}"`, this.#replies.get(), PATIENCE)
  }

  /** Kills the thread. The next order starts another one. */
  async kill(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }
}

/**
 * The share of runs that use another thread, as a worker costs as much as many runs without one.
 */
export const PARTNER_SHARE = 1 / 30
