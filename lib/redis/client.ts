/**
 * The clients that a RedisQueue can run on, told by what they have: node-redis, ioredis and
 * iovalkey. All commands go through one function, whose replies are binary-safe.
 */
import { invalidType } from '../errors.js'

type Argument = string | Uint8Array
/** A server's reply: a number, bytes, a list of these, or nothing. */
export type Reply = number | Buffer | string | null | Reply[] | Map<unknown, unknown> | { readonly [key: string]: unknown }

/** The part of a node-redis client that is used; it is the same from version 4 on. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly isReady?: boolean
  sendCommand(args: readonly Argument[], options?: object): Promise<unknown>
  duplicate(): NodeRedisClient
  connect(): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy?(): unknown
  disconnect?(): unknown
}

/** The part of a client of ioredis or iovalkey that is used. */
export interface IORedisClient {
  readonly status: string
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  duplicate(): IORedisClient
  on(event: 'error', listener: (error: Error) => void): unknown
  disconnect(): unknown
}

/** A connected client of node-redis, ioredis or iovalkey. */
export type RedisClient = NodeRedisClient | IORedisClient

export interface Connection {
  command(name: string, ...args: Argument[]): Promise<Reply>
  /** Another connection to the same server, for commands that block. */
  another(): Promise<Connection>
  /**
   * Whether commands reach the server now. `away`: the client is connecting again; it would queue
   * commands, and they can't be taken back. `ended`: somebody has closed the client, and trying
   * again is of no use.
   */
  state(): 'ready' | 'away' | 'ended'
  end(): void
}

/**
 * Makes node-redis return bulk strings, whose type code is 36 ('$'), as bytes. Version 4 has
 * `returnBuffers` for that.
 */
const BYTES = { returnBuffers: true, typeMapping: { 36: Buffer } }

function ignore(): void {
  // The command that is under way rejects, and is tried again.
}

function overNodeRedis(client: NodeRedisClient): Connection {
  return {
    command: (name, ...args) => client.sendCommand([name, ...args], BYTES) as Promise<Reply>,
    async another() {
      const other = client.duplicate()
      other.on('error', ignore)
      await other.connect()
      return overNodeRedis(other)
    },
    state: () => (!client.isOpen ? 'ended' : client.isReady === false ? 'away' : 'ready'),
    end() {
      if (client.destroy) client.destroy()
      else client.disconnect?.()
    },
  }
}

/** Makes a Buffer of bytes: ioredis would send another Uint8Array as text. */
function asBuffer(one: Argument): string | Buffer {
  return typeof one === 'string' || Buffer.isBuffer(one) ? one : Buffer.from(one.buffer, one.byteOffset, one.byteLength)
}

function overIORedis(client: IORedisClient): Connection {
  return {
    command: (name, ...args) => client.callBuffer(name, ...args.map(asBuffer)) as Promise<Reply>,
    another() {
      const other = client.duplicate()
      other.on('error', ignore)
      return Promise.resolve(overIORedis(other))
    },
    state() {
      if (client.status === 'end') return 'ended'
      // A client that waits for the first command to connect is as good as connected.
      return client.status === 'ready' || client.status === 'wait' ? 'ready' : 'away'
    },
    end: () => void client.disconnect(),
  }
}

/** Returns the connection of the user's client, which only the user ends. */
export function connectionOf(client: unknown): Connection {
  const { sendCommand, callBuffer, duplicate } = Object(client) as Partial<NodeRedisClient & IORedisClient>
  if (typeof duplicate === 'function') {
    if (typeof callBuffer === 'function') return overIORedis(client as IORedisClient)
    if (typeof sendCommand === 'function' && sendCommand.length <= 2) return overNodeRedis(client as NodeRedisClient)
  }
  throw invalidType('client', 'a connected client of node-redis, ioredis or iovalkey', client)
}

/** Before version 7, Redis wraps what stops a command of a script. */
const WRAPPED = /^ERR Error running script .*: -/
const PASSING = /^(LOADING|READONLY|UNBLOCKED|CLUSTERDOWN|TRYAGAIN|BUSY|MASTERDOWN|NOREPLICAS|ERR max number of clients reached)/

/**
 * Whether the server refused the command, and would refuse it again. Everything else is tried
 * again.
 */
export function isRefusal(error: unknown): boolean {
  const { message = '' } = error as Partial<Error>
  return /^[A-Z]{3,} /.test(message) && !PASSING.test(message.replace(WRAPPED, ''))
}
