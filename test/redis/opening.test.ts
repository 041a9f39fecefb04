/**
 * Servers and queues on which a queue can't keep its promises are refused, and the error says what
 * to change.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { RedisQueue } from '../../lib/redis/index.js'
import { isRefusal } from '../../lib/redis/client.js'
import { checkServer } from '../../lib/redis/opening.js'
import { HAS_SERVER, RedisServer } from './server.js'

async function openOn(settings: string[], prepare: string[][] = []): Promise<void> {
  const server = await RedisServer.start(...settings)
  const client = createClient({ socket: { host: '127.0.0.1', port: server.port } })
  try {
    await client.connect()
    for (const command of prepare) await client.sendCommand(command)
    const queue = await RedisQueue.open(client, 'jobs')
    await queue.detach()
  } finally {
    client.destroy()
    await server.stop()
  }
}

describe('opening a RedisQueue', () => {
  it('loads no native code', async () => {
    const url = new URL('../../lib/redis/index.js', import.meta.url).href
    const program = `process.dlopen = () => { throw new Error('native code is loaded') }; await import(${JSON.stringify(url)}); console.log('fine')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    assert.equal(stdout, 'fine\n')
  })

  it('refuses a server that is too old', async () => {
    const info = 'redis_version:6.0.16\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n'
    await assert.rejects(checkServer({ command: () => Promise.resolve(Buffer.from(info)) }), {
      code: 'ERR_REDIS_TOO_OLD',
      message: /6\.2.*6\.0\.16/,
    })
  })

  it('waits for a server that loads its file, and says that it has none', async () => {
    const info = 'redis_version:7.0.15\r\nloading:1\r\naof_enabled:0\r\nmaxmemory_policy:noeviction\r\n'
    const loading = checkServer({ command: () => Promise.resolve(Buffer.from(info)) }).catch((error: unknown) => error)
    assert.equal(isRefusal(await loading), false)
    assert.match(String(await loading), /LOADING/)
  })

  it('tells what passes from what a server would refuse again, of Redis 6.2 too', () => {
    const wrapped = (text: string): Error =>
      new Error(`ERR Error running script (call to f_1028a5dba704e1d8): @user_script:17: @user_script: 17: -${text}`)
    assert.equal(isRefusal(wrapped("READONLY You can't write against a read only replica.")), false)
    assert.equal(isRefusal(wrapped('NOREPLICAS Not enough good replicas to write.')), false)
    assert.equal(isRefusal(wrapped("OOM command not allowed when used memory > 'maxmemory'.")), true)
    assert.equal(isRefusal(new Error('ERR the queue is gone: its keys were deleted')), true)
  })

  describe('on a real server', () => {
    before(function () {
      if (!HAS_SERVER) {
        console.log('    skipped: redis-server is not installed (apt-get install redis-server)')
        this.skip()
      }
    })

    it('refuses one without an append-only file', () =>
      assert.rejects(openOn(['--appendonly', 'no']), { code: 'ERR_REDIS_NOT_PERSISTENT', message: /appendonly yes/ }))

    it('refuses one that evicts keys', () =>
      assert.rejects(openOn(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']), {
        code: 'ERR_REDIS_EVICTS',
        message: /allkeys-lru.*maxmemory-policy noeviction/,
      }))

    it('refuses a cluster that has no server for the keys, instead of waiting for one', () =>
      assert.rejects(openOn(['--cluster-enabled', 'yes'], [['CLUSTER', 'ADDSLOTSRANGE', '0', '100']]), /CLUSTERDOWN/))

    it('refuses a key under which there is something else', () =>
      assert.rejects(openOn([], [['SET', '{jobs}:items', 'text']]), { code: 'ERR_INVALID_ARG_VALUE', message: /"key".*WRONGTYPE/ }))
  })
})
