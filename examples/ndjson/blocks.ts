/**
 * Two ways in which blocks of bytes get from the reader to the workers. Either the reader reads
 * into memory that a worker reads as well, and passes on its token, or it puts the bytes into a
 * queue, which copies them in and out.
 */
import { BufferPool, type BufferPoolHandle, QueueClosedError, type QueueHandle, record, ThreadSafeQueue } from 'threadsafe'

export const BLOCK = 2 ** 18

/** The number of blocks for each worker, enough that none waits for the reader. */
const BLOCKS_PER_WORKER = 4

export type Way = 'pool' | 'bytes'

export type BlocksHandle =
  { way: 'pool'; pool: BufferPoolHandle<Uint8Array>; tokens: QueueHandle<Token> } | { way: 'bytes'; queue: QueueHandle<Uint8Array> }

interface Token {
  token: number
  length: number
}

/** The reader's side. */
export interface Blocks {
  readonly handle: BlocksHandle
  /** Resolves to memory for the next block, with arbitrary content. */
  next(signal: AbortSignal): Promise<Uint8Array>
  /** Sends that many bytes of it to whichever worker is free first. */
  send(length: number): Promise<void>
  /**
   * Lets the workers end when they have taken everything, or at once with `discard`. Sending then
   * fails.
   */
  close(options?: { discard?: boolean }): void
}

export function createBlocks(way: Way, workers: number): Blocks {
  const count = workers * BLOCKS_PER_WORKER
  return way === 'pool' ? throughPool(count) : throughQueue(count)
}

function throughPool(count: number): Blocks {
  const pool = new BufferPool(count, `uint8[${BLOCK}]`)
  const tokens = new ThreadSafeQueue<Token>(count, { type: record({ token: 'uint32', length: 'uint32' }), name: 'tokens' })
  let lease: Awaited<ReturnType<typeof pool.lend>>
  return {
    handle: { way: 'pool', pool: pool.handle, tokens: tokens.handle },
    async next(signal) {
      lease = await pool.lend({ signal })
      return lease.data
    },
    send: (length) => tokens.put({ token: lease.pass(), length }),
    close: (options) => tokens.close(options),
  }
}

function throughQueue(count: number): Blocks {
  const queue = new ThreadSafeQueue(count, { type: 'bytes', itemBytes: BLOCK, name: 'blocks' })
  const block = new Uint8Array(BLOCK)
  return {
    handle: { way: 'bytes', queue: queue.handle },
    next: async () => block,
    send: (length) => queue.put(block.subarray(0, length)),
    close: (options) => queue.close(options),
  }
}

/**
 * A worker's side: calls `use` for each block until no more will come. The block is valid only
 * during that call.
 */
export function forEachBlock(handle: BlocksHandle, use: (block: Uint8Array) => void): void {
  const take = handle.way === 'pool' ? fromPool(handle, use) : fromQueue(handle, use)
  try {
    for (;;) take()
  } catch (error) {
    if (!(error instanceof QueueClosedError)) throw error
  }
}

function fromPool(handle: BlocksHandle & { way: 'pool' }, use: (block: Uint8Array) => void): () => void {
  const pool = BufferPool.from(handle.pool)
  const tokens = ThreadSafeQueue.from(handle.tokens)
  return () => {
    const { token, length } = tokens.getSync({ block: true })
    using lease = pool.take(token) // given back at the end, however it ends
    use(lease.data.subarray(0, length))
  }
}

function fromQueue(handle: BlocksHandle & { way: 'bytes' }, use: (block: Uint8Array) => void): () => void {
  const queue = ThreadSafeQueue.from(handle.queue)
  const into = new Uint8Array(BLOCK)
  return () => use(queue.getSync({ block: true, into }))
}
