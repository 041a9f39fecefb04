/** Runs the scripts of a queue on the server, over connections that may break. */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Connection, isRefusal, type Reply } from './client.js'

const NAMES = ['open', 'put', 'take', 'acknowledge', 'idle', 'poison', 'close', 'stats'] as const
type ScriptName = (typeof NAMES)[number]

interface Script {
  readonly text: string
  readonly hash: string
}

/** From dist/lib/redis, where this module is at run time. */
const FOLDER = '../../../lib/redis/scripts/'

function load(name: ScriptName): Script {
  const text = readFileSync(new URL(`${FOLDER}${name}.lua`, import.meta.url), 'utf8')
  return { text, hash: createHash('sha1').update(text).digest('hex') }
}

const SCRIPTS = Object.fromEntries(NAMES.map((name) => [name, load(name)])) as Record<ScriptName, Script>

/** Milliseconds between tries while the server can't be reached: doubled from the first to the last. */
const FIRST_PAUSE = 20
const LAST_PAUSE = 1000
/** How long the server remembers a client's last operation, in case its reply was lost. */
const OPERATION_LIFE = 24 * 3600 * 1000

/** The keys of a queue, which share a hash tag: a cluster has them in one slot. */
export interface Keys {
  readonly items: string
  readonly state: string
  readonly poison: string
  readonly room: string
  readonly operation: string
}

export function keysOf(key: string, client: string): Keys {
  const base = key.includes('{') ? key : `{${key}}`
  const of = (part: string) => `${base}:${part}`
  return { items: of('items'), state: of('state'), poison: of('poison'), room: of('room'), operation: of(`operation:${client}`) }
}

export class Server {
  /** Names this queue object among all clients of the queue. */
  readonly id: string = randomUUID()
  readonly keys: Keys
  readonly #connection: Connection
  readonly #over = new AbortController()
  #operations = 0
  readonly #others: Promise<Connection>[] = []

  constructor(connection: Connection, key: string) {
    this.#connection = connection
    this.keys = keysOf(key, this.id)
  }

  /** Aborted when the queue object is detached. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** The arguments that make an operation one that may be repeated. */
  operation(): [number: string, life: string] {
    return [String(++this.#operations), String(OPERATION_LIFE)]
  }

  run(name: ScriptName, keys: readonly string[], ...args: (string | Uint8Array)[]): Promise<Reply> {
    const { text, hash } = SCRIPTS[name]
    const rest = [String(keys.length), ...keys, ...args]
    return this.again(async () => {
      try {
        return await this.#connection.command('EVALSHA', hash, ...rest)
      } catch (error) {
        // The server has restarted, or this script is new to it.
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
        return this.#connection.command('EVAL', text, ...rest)
      }
    })
  }

  command(name: string, ...args: string[]): Promise<Reply> {
    return this.#connection.command(name, ...args)
  }

  /** Makes attempts until the server has replied, or the queue object is detached. */
  async again(attempt: () => Promise<Reply>): Promise<Reply> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      try {
        return await attempt()
      } catch (error) {
        if (isRefusal(error) || this.over.aborted) throw error
      }
      await delay(pause, undefined, { signal: this.over, ref: true })
    }
  }

  /** A connection of its own, for commands that block. Ended with this. */
  async another(): Promise<Connection> {
    const other = this.#connection.another()
    this.#others.push(other)
    return other
  }

  async end(): Promise<void> {
    this.#over.abort(new Error('The queue object is detached'))
    for (const other of this.#others) {
      const connection = await other.catch(() => undefined)
      connection?.end()
    }
  }
}
