/** From one process to another, over a Redis server that keeps what it accepts. */
import type { Case, Contender } from '../harness/case.js'
import { BATCH, overRedis } from '../peers/redis.js'

const plain: Contender = {
  id: 'plain',
  name: `redis, XADD and XREADGROUP, ${BATCH} at a time`,
  package: 'redis',
  note: 'not bounded, and what it repeats is doubled',
  open: () => overRedis('plain'),
}

const common = { topology: 'processes', kind: 'rate', unit: 'us/item' } as const

export const processes: readonly Case[] = [
  {
    ...common,
    id: 'processes-batches',
    title: `Batches of ${BATCH} to another process`,
    contenders: [
      { id: 'threadsafe', name: 'threadsafe, RedisQueue', package: 'threadsafe', open: () => overRedis('queue-batches') },
      plain,
    ],
    goals: [{ text: 'batches between processes: >= 0.5 x the rate of the plain client', against: 'plain', atMost: 2 }],
  },
  {
    ...common,
    id: 'processes-items',
    title: 'Item by item to another process',
    contenders: [{ id: 'threadsafe', name: 'threadsafe, RedisQueue', package: 'threadsafe', open: () => overRedis('queue-items') }, plain],
    goals: [{ text: 'item by item between processes: >= 0.5 x the rate of the plain client', against: 'plain', atMost: 2 }],
  },
]
