/**
 * The cruncher of examples/ndjson in three stages. They need no more of a queue than `AsyncQueue`
 * has, and don't know where it lives. A stage may be killed at any moment and started again. A
 * queue over a server then delivers some items twice, so each item has a position, by which the
 * last stage recognizes it.
 */
import { open } from 'node:fs/promises'
import type { AsyncQueue } from 'threadsafe'
import { fill, NEWLINE } from '../ndjson/crunch.js'
import { Summary } from '../ndjson/summary.js'
import type { Kept } from './kept.js'

export const BLOCK = 2 ** 16

/** Whole lines of the file. */
export interface Block {
  /** The first byte's place in the file. */
  position: number
  lines: Uint8Array
}

/** The sums of one block. */
export interface Part {
  position: number
  sums: Sums
}

export type Sums = Pick<Summary, 'bad' | 'paths' | 'minutes'>

/** The state that the last stage keeps on disk. */
export interface Ledger {
  readonly sums: Sums
  /** The positions of the blocks that are in the sums. */
  readonly positions: Set<number>
}

export type Source<T> = AsyncIterable<T>
export type Sink<T> = Pick<AsyncQueue<T>, 'put' | 'close'>

/** Reads the file, from where an earlier process has got to. */
export async function read(path: string, blocks: Sink<Block>, checkpoint: Kept<number>): Promise<void> {
  await using file = await open(path)
  for (let position = (await checkpoint.load()) ?? 0; ;) {
    const memory = new Uint8Array(BLOCK)
    const length = await fill(file, memory, position)
    if (length === 0) break
    const whole = length < BLOCK ? length : memory.lastIndexOf(NEWLINE) + 1
    if (whole === 0) throw new RangeError(`${path}: the line that begins at byte ${position} has more than ${BLOCK} bytes`)
    await blocks.put({ position, lines: memory.subarray(0, whole) })
    position += whole
    // Saved only once the block is accepted. If this process is killed in between, the next one
    // puts the block again.
    await checkpoint.save(position)
  }
  await blocks.close()
}

/** Adds up each block by itself. Any number of processes may do so at a time. */
export async function crunch(blocks: Source<Block>, parts: Sink<Part>): Promise<void> {
  // Asking for the next block acknowledges this one, whose part has been accepted by then.
  for await (const { position, lines } of blocks) {
    const summary = new Summary()
    summary.addLines(lines)
    const { bad, paths, minutes } = summary
    await parts.put({ position, sums: { bad, paths, minutes } })
  }
  await parts.close()
}

/** Adds up the parts, each once, and keeps the sums where the next process finds them. */
export async function total(parts: Source<Part>, ledger: Kept<Ledger>): Promise<Sums> {
  const { sums, positions } = (await ledger.load()) ?? { sums: new Summary(), positions: new Set<number>() }
  const summary = new Summary()
  summary.merge(sums)
  for await (const { position, sums } of parts) {
    if (positions.has(position)) continue
    summary.merge(sums)
    positions.add(position)
    await ledger.save({ sums: summary, positions })
  }
  return summary
}
