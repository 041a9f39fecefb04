/** Runs the scripts of a queue on the server, over connections that may break. */
import { createHash, randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { withCode } from '../errors.js'
import { packageRoot } from '../package-root.js'
import { type Connection, isRefusal, type Reply } from './client.js'

const NAMES = ['open', 'put', 'take', 'acknowledge', 'idle', 'leave', 'poison', 'close', 'stats'] as const
type ScriptName = (typeof NAMES)[number]

interface Script {
  readonly text: string
  readonly hash: string
}

function load(name: ScriptName): Script {
  const text = readFileSync(join(packageRoot, `lib/redis/scripts/${name}.lua`), 'utf8')
  return { text, hash: createHash('sha1').update(text).digest('hex') }
}

const SCRIPTS = Object.fromEntries(NAMES.map((name) => [name, load(name)])) as Record<ScriptName, Script>

/**
 * Milliseconds between tries while the server can't be reached: doubled from the first to the last.
 */
const FIRST_PAUSE = 10
const LAST_PAUSE = 200
/** Milliseconds that a blocking command's reply may be late before its connection is given up. */
const LATE = 2000
/** How long the server remembers a client's last operation, in case its reply was lost. */
const OPERATION_LIFE = 24 * 3600 * 1000

/** Whether it is the program's error and not the connection's, so that trying again is of no use. */
function isMistake(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError
}

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
  readonly #key: string
  readonly #connection: Connection
  readonly #over = new AbortController()
  #operations = 0
  readonly #others = new Set<Connection>()

  constructor(connection: Connection, key: string) {
    this.#key = key
    this.#connection = connection
    this.keys = keysOf(key, this.id)
    // Each command that waits for the server listens.
    setMaxListeners(0, this.over)
  }

  /** Aborted when the queue object is detached. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** The arguments that make an operation one that may be repeated. */
  operation(): [number: string, life: string] {
    return [String(++this.#operations), String(OPERATION_LIFE)]
  }

  /** Runs a script, again and again while the server is away: scripts may be repeated. */
  run(name: ScriptName, keys: readonly string[], ...args: (string | Uint8Array)[]): Promise<Reply> {
    return this.again(() => this.runOnce(name, keys, ...args))
  }

  async runOnce(name: ScriptName, keys: readonly string[], ...args: (string | Uint8Array)[]): Promise<Reply> {
    const { text, hash } = SCRIPTS[name]
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.#connection.command('EVALSHA', hash, ...rest)
    } catch (error) {
      // The server has restarted, or this script is new to it.
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      return this.#connection.command('EVAL', text, ...rest)
    }
  }

  /**
   * Makes attempts until the server has replied, or the queue object is detached. It makes none
   * while the client is not connected, so a call that gives up meanwhile has sent nothing.
   */
  async again<R>(attempt: () => Promise<R>, isFinal: (error: unknown) => boolean = isRefusal): Promise<R> {
    let failure: unknown
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      this.over.throwIfAborted()
      const state = this.#connection.state()
      if (state === 'ended') throw this.#clientClosed(failure)
      if (state === 'ready') {
        try {
          return await attempt()
        } catch (error) {
          if (isFinal(error) || isMistake(error)) throw error
          failure = error
        }
      }
      await delay(pause, undefined, { signal: this.over }).catch(() => undefined)
    }
  }

  #clientClosed(cause: unknown): Error {
    // The user who closed the client does not know of the connections that were made from it.
    for (const other of this.#others) other.end()
    return withCode(new Error(`The client of the queue ${JSON.stringify(this.#key)} is closed`, { cause }), 'ERR_REDIS_CLIENT_CLOSED')
  }

  /**
   * Returns a function that sends a command which blocks for so many milliseconds. It makes a
   * connection of its own for the first, another when that one has ended, and `end()` ends it. It
   * resolves to null when there is no reply in time: then the connection is half-open, which nobody
   * else would notice. While a command is under way, a call sends none and shares that one's reply:
   * commands of callers that have given up would pile up, since each blocks those behind it.
   */
  blocking(): (milliseconds: number, name: string, ...args: string[]) => Promise<Reply> {
    let current: Connection | undefined
    let underWay: Promise<Reply> | undefined
    const forget = (): void => {
      if (!current) return
      current.end()
      this.#others.delete(current)
      current = undefined
    }
    const send = async (milliseconds: number, name: string, args: string[]): Promise<Reply> => {
      if (current?.state() === 'ended') forget()
      current ??= await this.#another()
      const over = new AbortController()
      const late = delay(milliseconds + LATE, null, { signal: over.signal }).then(forget, () => undefined)
      try {
        return await Promise.race([current.command(name, ...args), late.then(() => null)])
      } finally {
        over.abort()
      }
    }
    return (milliseconds, name, ...args) => {
      underWay ??= this.again(() => send(milliseconds, name, args)).finally(() => {
        underWay = undefined
      })
      return underWay
    }
  }

  async #another(): Promise<Connection> {
    const other = await this.#connection.another()
    if (this.over.aborted) other.end()
    else this.#others.add(other)
    return other
  }

  end(reason: Error): void {
    this.#over.abort(reason)
    for (const other of this.#others) other.end()
  }
}
