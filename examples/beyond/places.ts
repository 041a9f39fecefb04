/** The places where the two queues between the stages can live. */
import { ThreadSafeQueue } from 'threadsafe'
import { BLOCK, type Block, type Part, type Sink, type Source } from './stages.js'

export interface Queues {
  readonly blocks: Source<Block> & Sink<Block>
  readonly parts: Source<Part> & Sink<Part>
  /** Ends the connection. The queues stay. */
  end(): Promise<void>
  /** Removes the queues from the server, and ends the connection. */
  remove(): Promise<void>
}

/** The most items in a queue. On a server, those in hand count too. */
export const CAPACITY = 8

/**
 * Milliseconds after which an item that was not acknowledged goes to another process: much longer
 * than any stage takes.
 */
export const ACK_WAIT = 1000

/** The bytes of an encoded block beside its lines. */
const ENVELOPE = 256
/** The bytes that most encoded parts fit in. */
const PART = 8192

/** Opens the queues in this process. */
function openHere(): Promise<Queues> {
  return Promise.resolve({
    blocks: new ThreadSafeQueue<Block>(CAPACITY, { name: 'blocks', itemBytes: BLOCK + ENVELOPE }),
    parts: new ThreadSafeQueue<Part>(CAPACITY, { name: 'parts', itemBytes: PART }),
    end: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  })
}

/**
 * Opens the queues whose names begin with that of the run. The packages for a server are loaded
 * only if it is used.
 */
export const PLACES = {
  here: openHere,
  redis: async (run: string): Promise<Queues> => (await import('./over-redis.js')).openOverRedis(run),
  nats: async (run: string): Promise<Queues> => (await import('./over-nats.js')).openOverNats(run),
}

export type Place = keyof typeof PLACES
