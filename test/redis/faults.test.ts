/**
 * What goes wrong between a queue and its server: every fault is told or made good, and none loses
 * or doubles an item.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { connectionOf } from '../../lib/redis/client.js'
import { RedisQueue, type RedisClient, type RedisQueueOptions } from '../../lib/redis/index.js'
import { until, within } from '../support.js'
import { CLIENTS } from './clients.js'
import { Proxy } from './proxy.js'
import { HAS_SERVER, RedisServer } from './server.js'

const LONG = process.env.REDIS_ITEMS !== undefined

describe('RedisQueue, when something goes wrong', () => {
  let server: RedisServer
  /** The tests' own, beside those that the queues have. */
  let redis: ReturnType<typeof createClient>
  let keys = 0
  const ends: (() => unknown)[] = []

  before(async function () {
    if (!HAS_SERVER) {
      console.log('    skipped: redis-server is not installed (apt-get install redis-server)')
      return this.skip()
    }
    server = await RedisServer.start()
    redis = createClient({ socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: 20 } })
    redis.on('error', () => undefined)
    await redis.connect()
  })

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  after(async () => {
    redis?.destroy()
    await server?.stop()
  })

  const freshKey = (): string => `faults-${++keys}`

  async function connected(name: string, port = server.port): Promise<RedisClient> {
    const connection = await CLIENTS[name]?.(port)
    assert.ok(connection)
    ends.push(() => connection.end())
    return connection.client
  }

  async function open<T>(key: string, options?: RedisQueueOptions<T>, client: RedisClient = redis): Promise<RedisQueue<T>> {
    const queue = await within('an open queue', RedisQueue.open<T>(client, key, options))
    ends.push(() => queue.detach())
    return queue
  }

  /** The number of items that were ever put. */
  async function added(key: string): Promise<number> {
    const info = (await redis.sendCommand(['XINFO', 'STREAM', `{${key}}:items`])) as unknown as { 'entries-added': number }
    return info['entries-added']
  }

  /** Resolves when the server knows of a put that waits for room. */
  async function putWaits({ name }: { readonly name: string }): Promise<void> {
    while (!(await redis.hExists(`{${name}}:state`, 'waiting')));
  }

  /** The number of connections that the server has ever had. */
  async function connections(): Promise<number> {
    return Number(/total_connections_received:(\d+)/.exec(await redis.info('stats'))?.[1])
  }

  for (const name of Object.keys(CLIENTS)) {
    describe(`over ${name}`, () => {
      it('accepts nothing of puts that gave up while the server was away', async () => {
        const key = freshKey()
        const client = await connected(name)
        const queue = await open<string>(key, {}, client)
        await server.kill()
        await until('a client that knows it', () => connectionOf(client).state() === 'away')
        const abort = new AbortController()
        const reason = new Error('enough')
        const puts = [
          assert.rejects(queue.put('late', { timeout: 20 }), { code: 'ERR_TIMEOUT' }),
          assert.rejects(queue.putMany(['late', 'late'], { signal: abort.signal }), (error) => error === reason),
        ]
        const put = queue.put('in time')
        abort.abort(reason)
        await within('the end of puts while the server is away', Promise.all(puts), 900)
        assert.equal((reason as Error & { count?: number }).count, 0)
        await server.start()
        await within('the put that waited', put)
        assert.equal(await within('an item', queue.get()), 'in time')
        assert.equal(await added(key), 1)
      })

      it('repeats a put and a take whose replies broke off, and doubles neither', async () => {
        const key = freshKey()
        const proxy = await Proxy.before(server.port)
        ends.push(() => proxy.close())
        const queue = await open<string>(key, {}, await connected(name, proxy.port))
        await queue.putMany(['one', 'two'])
        proxy.cutReplyTo('"three"')
        await within('the put whose reply broke off', queue.putMany(['three', 'four']))
        assert.equal(proxy.cuts, 1)
        proxy.cutReplyWith('"two"')
        assert.deepEqual(await within('the items', queue.getMany(10)), ['one', 'two', 'three', 'four'])
        assert.equal(proxy.cuts, 2)
        assert.equal(await added(key), 4)
        assert.equal((await queue.stats()).redelivered, 0)
      })

      it('ignores a put that comes after its repetition', async () => {
        const key = freshKey()
        const proxy = await Proxy.before(server.port)
        ends.push(() => proxy.close())
        const queue = await open<string>(key, {}, await connected(name, proxy.port))
        await queue.put('zero')
        const send = proxy.holdCommandWith('"one"')
        await within('the repeated put', queue.put('one'))
        await queue.put('two')
        assert.equal(proxy.cuts, 1)
        await within('the reply to the late put', send())
        assert.equal(await added(key), 3)
      })

      it('waits on one connection, however many gets give up', async () => {
        const queue = await open<number>(freshKey(), {}, await connected(name))
        const before = await connections()
        // Longer than a blocking command's reply may take before its connection is given up.
        for (const end = performance.now() + 4000; performance.now() < end;) {
          await assert.rejects(queue.get({ timeout: 50 }), { code: 'ERR_TIMEOUT' })
        }
        assert.equal(await connections(), before + 1)
        // The command that was sent for a get that gave up wakes the one that waits now.
        const get = queue.get()
        await delay(50)
        const started = performance.now()
        await queue.put(1)
        assert.equal(await within('the item', get), 1)
        assert.ok(performance.now() - started < 900, 'a wake was lost: the item was found only by a look every second')
      })
    })
  }

  it('delivers items to others whose consumer died before the reply to its take', async () => {
    const key = freshKey()
    const proxy = await Proxy.before(server.port)
    const client = new Redis({ port: proxy.port, host: '127.0.0.1' })
    client.on('error', () => undefined)
    // Nobody waits for its end: it would wait for its server for a while.
    const dying = await RedisQueue.open<string>(client, key, { ackWait: 100 })
    const queue = await open<string>(key, { ackWait: 100 })
    const abort = new AbortController()
    const get = assert.rejects(dying.get({ signal: abort.signal }), { name: 'AbortError' })
    proxy.cutReplyWith('"a"')
    await queue.put('a')
    await until('a broken reply', () => proxy.cuts === 1)
    proxy.close()
    assert.equal(await within('the item', queue.get()), 'a')
    abort.abort()
    await get
    client.disconnect()
    void dying.detach()
  })

  it('takes over all that a dead consumer had in hand without a pause for each', async () => {
    const key = freshKey()
    const dead = await open<number>(key, { ackWait: 400 })
    const queue = await open<number>(key, { ackWait: 400 })
    await queue.putMany(Array.from({ length: 40 }, (_, k) => k))
    for (let k = 0; k < 40; k++) await dead.receive()
    await queue.close()
    const got: number[] = []
    await within(
      'the end of an iterator',
      queue.forEach((item) => void got.push(item)),
    )
    assert.equal(new Set(got).size, 40)
  })

  it('acknowledges and gives back batches of any size', async () => {
    // Some 60,000 arguments overflow the stack.
    const count = 80_000
    const key = freshKey()
    const queue = await open<number>(key, { capacity: count }, await connected('ioredis'))
    await within('many items put', queue.putMany(Array.from({ length: count }, (_, k) => k)), 20_000)
    // Nobody waits any more for what this one takes.
    const leaving = await open<number>(key)
    const abort = new AbortController()
    const get = leaving.getMany(count, { signal: abort.signal })
    abort.abort()
    await assert.rejects(get, { name: 'AbortError' })
    await leaving.detach()
    const { inHand } = await queue.stats()
    assert.equal(inHand, count)
    for await (const some of queue.batches(count)) {
      assert.equal(some.length, count)
      break
    }
    const items = new Set<number>()
    while (items.size < count) for (const item of await within('a batch that was given back', queue.getMany(count), 20_000)) items.add(item)
    const settled = async (): Promise<void> => {
      while ((await queue.stats()).depth > 0) await delay(10)
    }
    await within('acknowledgements of many items', settled(), 20_000)
    assert.equal((await queue.stats()).inHand, 0)
  })

  it('keeps nothing back that nobody asks for', async () => {
    const key = freshKey()
    const one = await open<number>(key, { ackWait: 900 })
    const two = await open<number>(key, { ackWait: 900 })
    // A get that is aborted while its items are on the way.
    const abort = new AbortController()
    await one.put(0)
    const get = one.get({ signal: abort.signal })
    abort.abort()
    await assert.rejects(get, { name: 'AbortError' })
    const first = await within('the item that came too late', two.receive(), 8000)
    await first.ack()
    // Many items taken in advance, of which one was looked at.
    await one.putMany(Array.from({ length: 200 }, (_, k) => k))
    let seen = -1
    for await (const item of one) {
      assert.equal(item, ++seen)
      if (seen === 59) break
    }
    const rest = new Set<number>()
    while (rest.size < 141) for (const item of await within('the items taken in advance', two.getMany(200))) rest.add(item)
  })

  it('tries once when the timeout is 0', async () => {
    const queue = await open<number>(freshKey())
    await assert.rejects(within('a get', queue.get({ timeout: 0 })), { code: 'ERR_TIMEOUT', message: /within 0 ms/ })
    await queue.putMany([1, 2])
    assert.equal(await queue.get({ timeout: 0 }), 1)
    const waiting = queue.getMany(5)
    assert.deepEqual(await waiting, [2])
    const get = queue.get()
    await assert.rejects(within('a get behind another', queue.get({ timeout: 0 }), 500), { code: 'ERR_TIMEOUT' })
    await queue.put(3)
    assert.equal(await get, 3)
    // A put that stands behind others, which take several commands.
    const long = await open<number>(freshKey(), { capacity: 4000 })
    const many = long.putMany(Array.from({ length: 3000 }, (_, k) => k))
    await new Promise((resolve) => setImmediate(resolve))
    await within('a put behind others', long.put(-1, { timeout: 0 }))
    await many
    // A put behind one that waits for room.
    const full = await open<number>(freshKey(), { capacity: 1 })
    await full.put(0)
    const put = full.put(1)
    const isTimeout = { code: 'ERR_TIMEOUT', message: /within 0 ms/ }
    await within('a put that waits for room', putWaits(full))
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(within('a put that finds no room', full.put(2, { timeout: 0 }), 500), isTimeout)
    await assert.rejects(within('puts that find no room', full.putMany([2, 3], { timeout: 0 }), 500), { ...isTimeout, count: 0 })
    assert.equal(await full.get(), 0)
    await put
    await full.detach()
    await assert.rejects(full.putMany([4]), { code: 'ERR_QUEUE_CLOSED', count: 0 })
  })

  it('waits for longer than a timer of Node can be set to', async () => {
    const longest = 2 ** 31 - 1
    const queue = await open<number>(freshKey())
    const { setTimeout } = timers
    // The longest time passes at once.
    const quick = (end: () => void, milliseconds?: number) => setTimeout(end, milliseconds === longest ? 0 : milliseconds)
    timers.setTimeout = quick as typeof setTimeout
    syncBuiltinESMExports()
    try {
      const get = assert.rejects(queue.get({ timeout: 2 * longest + 200 }), { code: 'ERR_TIMEOUT' })
      assert.equal(await Promise.race([get, delay(100, 'waits')]), 'waits')
      await within('the end of the get', get)
    } finally {
      timers.setTimeout = setTimeout
      syncBuiltinESMExports()
    }
  })

  it('says how many items of a batch went in, whatever ends it', async () => {
    const key = freshKey()
    const queue = await open<unknown>(key, { capacity: 2 })
    const reason = Object.assign(new Error('enough'), { count: 5 })
    const signal = AbortSignal.abort(reason)
    await assert.rejects(queue.putMany([1, 2], { signal }), (error) => error === reason)
    assert.equal(reason.count, 0)
    await assert.rejects(queue.putMany([1, 1n]), { code: 'ERR_INVALID_ARG_VALUE', count: 0 })
    assert.equal(await added(key), 0)
    const closed = [
      assert.rejects(queue.putMany([1, 2, 3]), { code: 'ERR_QUEUE_CLOSED', count: 2 }),
      assert.rejects(queue.putMany([4]), { code: 'ERR_QUEUE_CLOSED', count: 0 }),
    ]
    await within('puts that wait for room', putWaits(queue))
    await queue.close()
    await within('the end of puts into a closed queue', Promise.all(closed))
  })

  it('tells puts that wait, here and elsewhere, that it was closed', async () => {
    const key = freshKey()
    const one = await open<number>(key, { capacity: 1 })
    const two = await open<number>(key)
    await one.put(0)
    const puts = [one.put(1), one.put(2), two.put(3), two.putMany([4, 5])].map((put) => assert.rejects(put, { code: 'ERR_QUEUE_CLOSED' }))
    await two.close()
    await within('the end of the puts', Promise.all(puts), 900)
    assert.deepEqual([one.closed, two.closed], [true, true])
  })

  for (const name of Object.keys(CLIENTS)) {
    it(`goes on waiting, over ${name}, while the server is a replica`, async () => {
      const client = await connected(name)
      const empty = await open<number>(freshKey(), {}, client)
      const full = await open<number>(freshKey(), { capacity: 1 }, client)
      await full.put(1)
      const get = empty.get()
      const put = full.put(2)
      const settled = Promise.race([get, put])
      settled.catch(() => undefined)
      const blocked = async (count: number): Promise<void> => {
        while (!(await redis.info('clients')).includes(`blocked_clients:${count}`)) await delay(5)
      }
      await within('two commands that block', blocked(2))
      await redis.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
      try {
        assert.equal(await Promise.race([settled, delay(300, 'waits')]), 'waits')
      } finally {
        await redis.sendCommand(['REPLICAOF', 'NO', 'ONE'])
      }
      await empty.put(3)
      assert.equal(await within('an item', get), 3)
      assert.equal(await within('an item', full.get()), 1)
      await within('room', put)
      assert.equal(await within('an item', full.get()), 2)
    })
  }

  it('has one of two capacities when two open it at once, and refuses the other', async () => {
    const key = freshKey()
    const clients = await Promise.all([connected('redis'), connected('ioredis')])
    const opened = await Promise.allSettled(clients.map((client, k) => RedisQueue.open(client, key, { capacity: 5 + k })))
    const refused = opened.filter((one) => one.status === 'rejected')
    for (const one of opened) if (one.status === 'fulfilled') await one.value.detach()
    assert.equal(refused.length, 1)
    assert.match(String(refused[0]?.reason), /capacity.*must be [56].*Received [56]/)
  })

  it('sends scripts anew that the server has forgotten', async () => {
    const queue = await open<number>(freshKey())
    const flush = (): Promise<unknown> => redis.sendCommand(['SCRIPT', 'FLUSH'])
    for (let k = 0; k < 3; k++) {
      await flush()
      await queue.put(k)
      await flush()
      const { value, ack } = await queue.receive()
      assert.equal(value, k)
      await flush()
      await ack()
    }
    await flush()
    await queue.close()
    assert.equal((await queue.stats()).depth, 0)
  })

  it('refuses items while the server has no memory, and can be drained and closed then', async () => {
    const key = freshKey()
    const queue = await open<number>(key, { capacity: 2 })
    await queue.putMany([1, 2])
    await redis.sendCommand(['CONFIG', 'SET', 'maxmemory', '1'])
    try {
      await assert.rejects(queue.put(3, { timeout: 50 }), { code: 'ERR_TIMEOUT' })
      assert.equal(await queue.get(), 1)
      await assert.rejects(queue.put(3), /OOM/)
      await queue.close()
      const rest: number[] = []
      await within(
        'the end',
        queue.forEach((item) => void rest.push(item)),
      )
      assert.deepEqual(rest, [2])
      await queue.detach()
    } finally {
      await redis.sendCommand(['CONFIG', 'SET', 'maxmemory', '0'])
    }
  })

  it('rejects puts while the server can not write its file, and has what it accepted', async () => {
    const key = freshKey()
    const queue = await open<string>(key, { capacity: 10_000 })
    const limit = (size: string): void => {
      const { status, stderr } = spawnSync('prlimit', ['--pid', String(server.pid), `--fsize=${size}`])
      assert.equal(status, 0, stderr?.toString())
    }
    const sync = (when: string): void => {
      assert.equal(spawnSync('redis-cli', ['-p', String(server.port), 'CONFIG', 'SET', 'appendfsync', when]).status, 0)
    }
    // A server that syncs at each write ends where it can't.
    sync('everysec')
    let accepted = 0
    limit('1000000:unlimited')
    try {
      const deadline = performance.now() + 10_000
      const fill = async (): Promise<void> => {
        while (performance.now() < deadline) {
          await queue.put('x'.repeat(50_000))
          accepted++
        }
      }
      await assert.rejects(fill(), /MISCONF/)
    } finally {
      limit('unlimited:unlimited')
    }
    // With everysec it may reply before it writes, and what it accepted last could be lost below.
    sync('always')
    // The server finds out by itself, after a second.
    for (const deadline = performance.now() + 5000; ;) {
      assert.ok(performance.now() < deadline, 'the server does not accept items again')
      if (
        await queue.put('end').then(
          () => true,
          () => false,
        )
      )
        break
    }
    await server.kill()
    await server.start()
    for (let k = 0; k < accepted; k++) assert.equal((await within('an item', queue.get())).length, 50_000)
    assert.equal(await within('the last item', queue.get()), 'end')
  })

  it('rejects what the server forbids, and acknowledges when it is asked again', async () => {
    const queue = await open<number>(freshKey(), {}, await connected('redis'))
    await queue.put(1)
    const received = await queue.receive()
    await redis.sendCommand(['ACL', 'SETUSER', 'default', '-evalsha', '-eval'])
    try {
      await assert.rejects(queue.put(2), /NOPERM/)
      await assert.rejects(queue.get(), /NOPERM/)
      await assert.rejects(received.ack(), /NOPERM/)
    } finally {
      await redis.sendCommand(['ACL', 'SETUSER', 'default', '+evalsha', '+eval'])
    }
    await received.ack()
    assert.equal((await queue.stats()).depth, 0)
  })

  it('rejects what fails before it is sent, instead of trying for ever', async () => {
    const client = (await connected('redis')) as ReturnType<typeof createClient>
    const queue = await open<number>(freshKey(), {}, client)
    const failure = new RangeError('Maximum call stack size exceeded')
    client.sendCommand = () => Promise.reject(failure)
    try {
      await assert.rejects(within('a put', queue.put(1), 1000), failure)
      await assert.rejects(within('a get', queue.get(), 1000), failure)
    } finally {
      Reflect.deleteProperty(client, 'sendCommand')
    }
    await queue.put(1)
    assert.equal(await queue.get(), 1)
  })

  it('says so when its keys are gone', async () => {
    const key = freshKey()
    const queue = await open<number>(key)
    await redis.sendCommand(['DEL', `{${key}}:items`, `{${key}}:state`])
    await assert.rejects(within('a put', queue.put(1)), /the queue is gone/)
    await assert.rejects(within('a get', queue.get()), /NOGROUP/)
  })

  it('ends all calls when the client is closed', async () => {
    for (const name of Object.keys(CLIENTS)) {
      const connection = await CLIENTS[name]?.(server.port)
      assert.ok(connection)
      const queue = await open<number>(freshKey(), { capacity: 1 }, connection.client)
      await queue.put(1)
      assert.equal(await queue.get(), 1)
      const get = assert.rejects(within('a get that waits', queue.get()), { code: 'ERR_REDIS_CLIENT_CLOSED' })
      connection.end()
      await assert.rejects(within('a put', queue.put(2)), { code: 'ERR_REDIS_CLIENT_CLOSED' })
      await get
      await within('a detached object', queue.detach(), 900)
    }
    const never = createClient({ socket: { host: '127.0.0.1', port: server.port } })
    await assert.rejects(RedisQueue.open(never, freshKey()), { code: 'ERR_REDIS_CLIENT_CLOSED' })
  })

  it('opens when the server comes back', async () => {
    const client = await connected('redis')
    await server.kill()
    const opening = RedisQueue.open<number>(client, freshKey())
    await server.start()
    await (await within('an open queue', opening)).detach()
  })

  it('delivers again the item that fn of forEach() has thrown on', async () => {
    const queue = await open<number>(freshKey())
    await queue.putMany([1, 2])
    const failure = new Error('not today')
    const fail = (item: number): void => {
      if (item === 1) throw failure
    }
    await assert.rejects(within('a forEach', queue.forEach(fail)), failure)
    const got = [await within('an item', queue.get()), await within('an item', queue.get())]
    assert.deepEqual(got.sort(), [1, 2])
  })

  it('puts nothing of a batch that has an item that can not be encoded', async () => {
    const key = freshKey()
    const queue = await open<unknown>(key)
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    for (const bad of [1n, cycle]) {
      await assert.rejects(queue.putMany([1, bad]), { code: 'ERR_INVALID_ARG_VALUE', message: /"item".*JSON.*codec/ })
    }
    await assert.rejects(queue.putMany([1, () => 1]), { code: 'ERR_INVALID_ARG_TYPE' })
    await assert.rejects(queue.putMany(5 as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"items"/ })
    const failure = new Error('no')
    const throwing = await open<number>(freshKey(), { codec: { encode: () => assert.fail(failure), decode: Number } })
    await assert.rejects(throwing.put(1), failure)
    const wrong = await open<number>(freshKey(), { codec: { encode: () => 5 as never, decode: Number } })
    await assert.rejects(wrong.put(1), { code: 'ERR_INVALID_ARG_TYPE', message: /encode/ })
    assert.equal(await added(key), 0)
  })

  it('copies what a codec has encoded', async () => {
    const buffer = Buffer.alloc(1)
    const codec = { encode: (item: number) => (buffer.fill(item), buffer), decode: (bytes: Buffer) => bytes[0] ?? -1 }
    const queue = await open<number>(freshKey(), { codec })
    await queue.putMany([1, 2, 3])
    assert.deepEqual(await queue.getMany(3), [1, 2, 3])
  })

  it('works through a client that gives all keys a prefix', async () => {
    const client = new Redis({ port: server.port, host: '127.0.0.1', keyPrefix: 'mine:' })
    ends.push(() => client.disconnect())
    const key = freshKey()
    const queue = await open<number>(key, { capacity: 1 }, client)
    const get = queue.get()
    const started = performance.now()
    await queue.put(1)
    assert.equal(await get, 1)
    await queue.put(2)
    const put = queue.put(3)
    assert.equal(await queue.get(), 2)
    await put
    assert.ok(performance.now() - started < 900, 'a wake was lost: a consumer found out only by its look every second')
    assert.equal(await redis.exists(`mine:{${key}}:items`), 1)
  })

  if (!LONG) return

  it('gives up a connection that is half-open, and detaches in time', async () => {
    const proxy = await Proxy.before(server.port)
    ends.push(() => proxy.close())
    const queue = await open<number>(freshKey(), {}, await connected('ioredis', proxy.port))
    const get = queue.get()
    // Whatever it asks for from here on is not heard.
    proxy.swallow()
    await assert.rejects(within('a put', queue.put(1, { timeout: 50 })), { code: 'ERR_TIMEOUT' })
    await Promise.all([assert.rejects(get, { code: 'ERR_QUEUE_CLOSED' }), within('a detached object', queue.detach(), 8000)])
  })
})
