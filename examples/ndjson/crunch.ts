/**
 * Crunches a file in this thread alone, or in a pool of workers to which this thread feeds blocks.
 */
import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { BLOCK, type Blocks, createBlocks, type Way } from './blocks.js'
import { Summary } from './summary.js'

const NEWLINE = 0x0a

/** Crunches in this thread alone. */
export async function crunchAlone(path: string): Promise<Summary> {
  const summary = new Summary()
  const block = new Uint8Array(BLOCK)
  await readLines(
    path,
    async () => block,
    async (length) => summary.addLines(block.subarray(0, length)),
  )
  return summary
}

/**
 * Lets workers crunch the file while this thread reads it, and helps whenever it is ahead of them.
 * Rejects as soon as one of them fails.
 */
export async function crunchByPool(path: string, workers: number, way: Way): Promise<Summary> {
  const summary = new Summary()
  const blocks = createBlocks(way, workers, (block) => summary.addLines(block))
  const failure = new AbortController()

  async function run(): Promise<void> {
    const worker = new Worker(new URL('./crunch-worker.js', import.meta.url), { workerData: blocks.handle })
    let part: Summary | undefined
    worker.on('message', (message: Summary) => (part = message))
    await once(worker, 'exit')
    if (part === undefined) throw new Error('A worker has ended before its work was done')
    summary.merge(part)
  }

  /**
   * Awaits one part of the work. If it fails, all other parts are ended and fail with the same
   * error.
   */
  async function guarded(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      failure.abort(error)
      blocks.close({ discard: true })
    }
  }

  await Promise.all([feed(path, blocks, failure.signal), ...Array.from({ length: workers }, run)].map(guarded))
  failure.signal.throwIfAborted()
  return summary
}

async function feed(path: string, blocks: Blocks, signal: AbortSignal): Promise<void> {
  await readLines(
    path,
    () => blocks.next(signal),
    (length) => blocks.send(length),
  )
  while (blocks.help()) signal.throwIfAborted()
  blocks.close()
}

/**
 * Reads the file into blocks of whole lines. `next` returns memory for each block, and `send` sends
 * that many bytes of it. The beginning of a line that does not fit goes into the next block.
 */
async function readLines(path: string, next: () => Promise<Uint8Array>, send: (length: number) => Promise<void>): Promise<void> {
  await using file = await open(path)
  let carried = new Uint8Array()
  let position = 0
  for (;;) {
    const block = await next()
    block.set(carried)
    const read = await fill(file, block.subarray(carried.length), position)
    const length = carried.length + read
    position += read
    if (length < block.length) return await send(length)
    const whole = block.lastIndexOf(NEWLINE) + 1
    if (whole === 0) throw new RangeError(`${path}: the line that begins at byte ${position - length} has more than ${BLOCK} bytes`)
    carried = block.slice(whole)
    await send(whole)
  }
}

/** Reads until the memory is full or the file ends. A read may stop short of both. */
async function fill(file: FileHandle, memory: Uint8Array, position: number): Promise<number> {
  let length = 0
  while (length < memory.length) {
    const { bytesRead } = await file.read(memory, length, memory.length - length, position + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}
