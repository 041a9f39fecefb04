/** The clients that a queue runs on. */
import { Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { createClient } from 'redis'
import type { RedisClient } from '../../lib/redis/index.js'

export interface TestClient {
  readonly client: RedisClient
  end(): void
}

/** The connected clients, by their packages' names. */
export const CLIENTS: Record<string, (port: number) => Promise<TestClient>> = {
  async redis(port) {
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 50 } })
    client.on('error', () => undefined)
    await client.connect()
    return { client, end: () => client.destroy() }
  },
  ioredis(port) {
    const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 })
    client.on('error', () => undefined)
    return Promise.resolve({ client, end: () => client.disconnect() })
  },
  iovalkey(port) {
    const client = new Valkey({ port, host: '127.0.0.1', retryStrategy: () => 50 })
    client.on('error', () => undefined)
    return Promise.resolve({ client, end: () => client.disconnect() })
  },
}
