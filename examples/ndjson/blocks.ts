/**
 * Two ways in which blocks of bytes get from the reader to the workers. Either the reader reads
 * into memory that a worker reads as well, and passes on its token, or it puts the bytes into a
 * queue, which copies them in and out.
 */
import { BufferPool, type BufferPoolHandle, QueueClosedError, type QueueHandle, record, ThreadSafeQueue } from 'threadsafe'

export const BLOCK = 2 ** 18

/** The number of blocks for each thread, enough that none waits for the reader. */
const BLOCKS_PER_THREAD = 4

export type Way = 'pool' | 'bytes'

export type BlocksHandle =
  { way: 'pool'; pool: BufferPoolHandle<Uint8Array>; tokens: QueueHandle<Token> } | { way: 'bytes'; queue: QueueHandle<Uint8Array> }

type Use = (block: Uint8Array) => void

interface Token {
  token: number
  length: number
}

/** The reader's side. */
export interface Blocks {
  readonly handle: BlocksHandle
  /** Resolves to memory for the next block, with arbitrary content. */
  next(signal: AbortSignal): Promise<Uint8Array>
  /** Sends that many bytes of it to whichever thread is free first. */
  send(length: number): Promise<void>
  /**
   * Takes a block that was sent and calls `use` for it, as a worker does. Returns false if there is
   * none.
   */
  help(): boolean
  /**
   * Lets the workers end when they have taken everything, or at once with `discard`. Sending then
   * fails.
   */
  close(options?: { discard?: boolean }): void
}

/**
 * `use` is for the blocks that the reader takes itself. It does so while it would have to wait for
 * the workers.
 */
export function createBlocks(way: Way, workers: number, use: Use): Blocks {
  const count = (workers + 1) * BLOCKS_PER_THREAD
  return way === 'pool' ? throughPool(count, use) : throughQueue(count, use)
}

function throughPool(count: number, use: Use): Blocks {
  const pool = new BufferPool(count, `uint8[${BLOCK}]`)
  const tokens = new ThreadSafeQueue<Token>(count, { type: record({ token: 'uint32', length: 'uint32' }), name: 'tokens' })
  let lease: ReturnType<typeof pool.take>
  function help(): boolean {
    const sent = tokens.tryGet()
    if (sent === undefined) return false
    using taken = pool.take(sent.token)
    use(taken.data.subarray(0, sent.length))
    return true
  }
  return {
    handle: { way: 'pool', pool: pool.handle, tokens: tokens.handle },
    async next(signal) {
      let free = pool.tryLend()
      while (free === undefined && help()) free = pool.tryLend()
      lease = free ?? (await pool.lend({ signal }))
      return lease.data
    },
    send: (length) => tokens.put({ token: lease.pass(), length }),
    help,
    close: (options) => tokens.close(options),
  }
}

function throughQueue(count: number, use: Use): Blocks {
  const queue = new ThreadSafeQueue(count, { type: 'bytes', itemBytes: BLOCK, name: 'blocks' })
  const block = new Uint8Array(BLOCK)
  const into = new Uint8Array(BLOCK)
  function help(): boolean {
    const taken = queue.tryGet({ into })
    if (taken) use(taken)
    return taken !== undefined
  }
  return {
    handle: { way: 'bytes', queue: queue.handle },
    next: async () => block,
    async send(length) {
      const item = block.subarray(0, length)
      let sent = queue.tryPut(item)
      while (!sent && help()) sent = queue.tryPut(item)
      if (!sent) await queue.put(item)
    },
    help,
    close: (options) => queue.close(options),
  }
}

/**
 * A worker's side: calls `use` for each block until no more will come. The block is valid only
 * during that call.
 */
export function forEachBlock(handle: BlocksHandle, use: Use): void {
  const take = handle.way === 'pool' ? fromPool(handle, use) : fromQueue(handle, use)
  try {
    for (;;) take()
  } catch (error) {
    if (!(error instanceof QueueClosedError)) throw error
  }
}

function fromPool(handle: BlocksHandle & { way: 'pool' }, use: Use): () => void {
  const pool = BufferPool.from(handle.pool)
  const tokens = ThreadSafeQueue.from(handle.tokens)
  return () => {
    const { token, length } = tokens.getSync({ block: true })
    using lease = pool.take(token) // given back at the end, however it ends
    use(lease.data.subarray(0, length))
  }
}

function fromQueue(handle: BlocksHandle & { way: 'bytes' }, use: Use): () => void {
  const queue = ThreadSafeQueue.from(handle.queue)
  const into = new Uint8Array(BLOCK)
  return () => use(queue.getSync({ block: true, into }))
}
