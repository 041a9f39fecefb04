/** Opening a queue: its options are checked, and its server must keep what it accepts. */
import { clearTimeout, setTimeout } from 'node:timers'
import type { ErrorCode } from '../error-codes.js'
import { invalidType, invalidValue, outOfRange, TimeoutError, withCode } from '../errors.js'
import { checkObject } from '../wait/options.js'
import { checkCodec, type Codec } from './codec.js'
import { type Connection, isRefusal } from './client.js'
import type { Server } from './server.js'

/** Options of `RedisQueue.open()`. */
export interface RedisQueueOptions<T = unknown> {
  /**
   * The most items that may be in the queue and not acknowledged. The first to open it decides.
   * Default: that of the queue, or 1000.
   */
  capacity?: number | undefined
  /**
   * The name of the consumer group. A queue has one. Default: that of the queue, or 'threadsafe'.
   */
  group?: string | undefined
  /** The name of this consumer, of which there may be no other. Default: a random one. */
  consumer?: string | undefined
  /**
   * Milliseconds after which an item that is not acknowledged is delivered again: at most 30 days.
   * Default: 30000.
   */
  ackWait?: number | undefined
  /** How items become bytes. Default: JSON. */
  codec?: Codec<T> | undefined
  /**
   * How often an item that can't be decoded is delivered before it is set aside in the stream
   * `{key}:poison`, or `key:poison` if the key has a hash tag. Default: 3.
   */
  deliveries?: number | undefined
}

export interface CheckedOptions {
  readonly capacity: number | undefined
  readonly group: string | undefined
  readonly consumer: string | undefined
  readonly ackWait: number
  readonly codec: Codec<unknown>
  readonly deliveries: number
}

const DEFAULT_CAPACITY = 1000
const DEFAULT_GROUP = 'threadsafe'
const DEFAULT_ACK_WAIT = 30_000
/**
 * The most milliseconds that `ackWait` may be. Items that are given back are marked as in hand for
 * that long, so every consumer may claim them.
 */
export const LONGEST_ACK_WAIT = 30 * 24 * 3600 * 1000
const DEFAULT_DELIVERIES = 3
/** Milliseconds for which opening waits for a server that is away, or loads its file. */
const LONGEST_OPENING = 10_000

function checkCount(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!Number.isSafeInteger(value) || value < 1) throw outOfRange(name, 'a whole number >= 1', value)
}

function checkName(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'string') throw invalidType(name, 'a string', value)
  if (value === '') throw invalidValue(name, 'a name', value)
}

export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw invalidType('key', 'a string', key)
  if (key === '') throw invalidValue('key', 'the name of a queue', key)
  // Its hash tag decides in which slot of a cluster a key lies, and a queue has several keys.
  if (key.includes('{') && !/^[^{]*\{[^}]+\}/.test(key)) {
    throw invalidValue('key', 'a name whose hash tag {...} is not empty', key, 'Without it a cluster would have the keys in several slots')
  }
}

export function checkOptions(options: RedisQueueOptions | undefined): CheckedOptions {
  checkObject('options', options)
  const { capacity, group, consumer, ackWait, codec, deliveries } = options ?? {}
  checkCount('options.capacity', capacity)
  checkName('options.group', group)
  checkName('options.consumer', consumer)
  if (ackWait !== undefined) {
    if (typeof ackWait !== 'number') throw invalidType('options.ackWait', 'a number of milliseconds', ackWait)
    if (!(ackWait >= 1 && ackWait <= LONGEST_ACK_WAIT)) throw outOfRange('options.ackWait', `>= 1 and <= ${LONGEST_ACK_WAIT}`, ackWait)
  }
  checkCount('options.deliveries', deliveries)
  return {
    capacity,
    group,
    consumer,
    ackWait: Math.ceil(ackWait ?? DEFAULT_ACK_WAIT),
    codec: checkCodec(codec),
    deliveries: deliveries ?? DEFAULT_DELIVERIES,
  }
}

function unfit(message: string, code: ErrorCode): Error {
  return withCode(new Error(message), code)
}

/** Refuses a server that would lose what it accepts, and says what to change there. */
export async function checkServer(connection: Pick<Connection, 'command'>): Promise<void> {
  const info = String(await connection.command('INFO'))
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  // It reports that it has no append-only file while it loads it.
  if (field('loading') === '1') throw new Error('LOADING the server loads its file')
  const [major = 0, minor = 0] = field('redis_version').split('.').map(Number)
  if (major < 6 || (major === 6 && minor < 2)) {
    throw unfit(`A queue needs Redis 6.2 or newer, or Valkey. The server is ${field('redis_version')}`, 'ERR_REDIS_TOO_OLD')
  }
  if (field('aof_enabled') !== '1') {
    throw unfit(
      'The server keeps no append-only file, so it would lose accepted items when it is killed. Set "appendonly yes" there',
      'ERR_REDIS_NOT_PERSISTENT',
    )
  }
  if (field('maxmemory_policy') !== 'noeviction') {
    throw unfit(
      `The server evicts keys when its memory is full (maxmemory-policy ${field('maxmemory_policy')}), and with them accepted items. Set "maxmemory-policy noeviction" there`,
      'ERR_REDIS_EVICTS',
    )
  }
}

/** Says what to change where the server has refused the keys. */
function explain(key: string): (error: unknown) => never {
  return (error) => {
    const { message } = error as Error
    if (message.includes('WRONGTYPE')) {
      throw invalidValue('key', 'a key under which the server has a queue or nothing', key, `The server says: ${message}`)
    }
    if (message.startsWith('CLUSTERDOWN ')) {
      throw unfit(
        `The server's cluster does not serve all keys at the moment. Open the queue when all its slots are served. The server says: ${message}`,
        'ERR_REDIS_CLUSTER',
      )
    }
    if (/^(MOVED|CROSSSLOT) /.test(message)) {
      throw unfit(
        `The server is one of a cluster, and does not have the queue's keys. Use a client that knows clusters, such as Cluster of ioredis. The server says: ${message}`,
        'ERR_REDIS_CLUSTER',
      )
    }
    throw error
  }
}

/** Whether trying again would not help to open the queue. */
function isFinal(error: unknown): boolean {
  const { message = '', code = '' } = error as { message?: string; code?: unknown }
  return isRefusal(error) || message.startsWith('CLUSTERDOWN ') || String(code).startsWith('ERR_REDIS_')
}

/** Makes the queue, or finds it. Returns its capacity and group. */
async function findQueue(
  server: Server,
  key: string,
  { capacity, group }: CheckedOptions,
): Promise<{ capacity: number; group: string; closed: boolean }> {
  const { items, state } = server.keys
  const wanted = [capacity === undefined ? '' : String(capacity), String(DEFAULT_CAPACITY), group ?? DEFAULT_GROUP]
  const reply = (await server.again(() => server.runOnce('open', [items, state], ...wanted), isFinal).catch(explain(key))) as [
    number,
    Buffer,
    number,
  ]
  const [has, hasGroup, closed] = [reply[0], reply[1].toString(), reply[2] === 1]
  if (capacity !== undefined && capacity !== has) {
    throw invalidValue(
      'options.capacity',
      `${has}, which the queue ${JSON.stringify(key)} has`,
      capacity,
      'Leave it out to take what is there',
    )
  }
  if (group !== undefined && group !== hasGroup) {
    throw invalidValue('options.group', `${JSON.stringify(hasGroup)}, which the queue ${JSON.stringify(key)} has`, group)
  }
  return { capacity: has, group: hasGroup, closed }
}

/**
 * Opens the queue on a server that keeps what it accepts. Ends the server's connections if it
 * can't.
 */
export async function openQueue(
  server: Server,
  connection: Connection,
  key: string,
  options: CheckedOptions,
): ReturnType<typeof findQueue> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(LONGEST_OPENING)), LONGEST_OPENING)
  })
  const opened = server.again(() => checkServer(connection), isFinal).then(() => findQueue(server, key, options))
  try {
    return await Promise.race([opened, late])
  } catch (error) {
    server.end(error as Error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
