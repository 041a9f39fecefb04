import assert from 'node:assert/strict'
import { RedisQueue, type RedisClient, type RedisQueueOptions } from '../../lib/redis/index.js'
import { within } from '../support.js'
import { CLIENTS, type TestClient } from './clients.js'
import { HAS_SERVER, RedisServer } from './server.js'

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(`RedisQueue over ${name}`, () => {
    let server: RedisServer
    let connection: TestClient
    let client: RedisClient
    let keys = 0

    before(async function () {
      if (!HAS_SERVER) {
        console.log('    skipped: redis-server is not installed (apt-get install redis-server)')
        return this.skip()
      }
      server = await RedisServer.start()
      connection = await connect(server.port)
      client = connection.client
    })

    after(async () => {
      connection?.end()
      await server?.stop()
    })

    const freshKey = (): string => `queue-${++keys}`
    const open = <T>(key: string, options?: RedisQueueOptions<T>): Promise<RedisQueue<T>> =>
      within('an open queue', RedisQueue.open<T>(client, key, options))

    it('gives items in order, one by one, in batches, and to iterators that end with the queue', async () => {
      await using queue = await open<number>(freshKey(), { capacity: 100 })
      await queue.putMany([1, 2, 3, 4, 5, 6, 7, 8])
      assert.equal(await queue.get(), 1)
      assert.deepEqual(await queue.getMany(2), [2, 3])
      await queue.close()
      assert.equal(queue.closed, true)
      await assert.rejects(queue.put(9), { code: 'ERR_QUEUE_CLOSED' })
      const batches = queue.batches(2)
      assert.deepEqual((await batches.next()).value, [4, 5])
      await batches.next()
      const rest: number[] = []
      const started = performance.now()
      await within('the end of the iterators', Promise.all([batches.next(), queue.forEach((item) => void rest.push(item))]))
      assert.deepEqual(rest, [8])
      // Whoever has acknowledged the last item learns at once that this was the end.
      assert.ok(performance.now() - started < 900, 'a wake was lost: the end was noticed only by a look every second')
      assert.deepEqual(await queue.stats(), { depth: 0, inHand: 0, redelivered: 0, poisoned: 0 })
    })

    it('is bounded by what is not acknowledged', async () => {
      await using queue = await open<string>(freshKey(), { capacity: 2 })
      await queue.putMany(['a', 'b'])
      await assert.rejects(queue.put('c', { timeout: 0 }), { code: 'ERR_TIMEOUT' })
      const { value, ack } = await queue.receive()
      assert.equal(value, 'a')
      assert.deepEqual(await queue.stats(), { depth: 2, inHand: 1, redelivered: 0, poisoned: 0 })
      await assert.rejects(queue.put('c', { timeout: 20 }), { code: 'ERR_TIMEOUT' })
      const put = queue.put('c')
      await ack()
      await within('room for a third item', put)
      await assert.rejects(queue.putMany(['d', 'e'], { timeout: 20 }), { code: 'ERR_TIMEOUT', count: 0 })
    })

    it('wakes every producer that waits for room', async () => {
      const key = freshKey()
      await using one = await open<number>(key, { capacity: 1 })
      await using two = await open<number>(key)
      await one.put(0)
      const started = performance.now()
      const puts = Promise.all([one.put(1), two.put(2)])
      const got = [await one.get(), await one.get(), await one.get()]
      await within('both puts', puts)
      assert.deepEqual(got.sort(), [0, 1, 2])
      assert.ok(performance.now() - started < 900, 'a wake was lost: a producer found room only by its look every second')
    })

    it('delivers again what was given back, or not acknowledged in time', async () => {
      const key = freshKey()
      await using queue = await open<string>(key, { ackWait: 150 })
      await using other = await open<string>(key, { ackWait: 60_000 })
      await queue.put('a')
      const first = await queue.receive()
      await first.nak()
      const second = await within('the item that was given back', other.receive())
      assert.equal(second.value, 'a')
      // Never acknowledged, as if the process had died.
      const third = await within('the item that was not acknowledged', queue.receive())
      assert.equal(third.value, 'a')
      await third.ack()
      assert.deepEqual(await queue.stats(), { depth: 0, inHand: 0, redelivered: 2, poisoned: 0 })
    })

    it('keeps for others what a detached consumer had in hand', async () => {
      const key = freshKey()
      await using queue = await open<number>(key, { ackWait: 150 })
      const leaving = await open<number>(key, { ackWait: 150 })
      await queue.putMany([1, 2, 3])
      await leaving.receive()
      const waiting = (await open<number>(freshKey())) satisfies RedisQueue<number>
      const get = waiting.get()
      await Promise.all([assert.rejects(get, { code: 'ERR_QUEUE_CLOSED' }), within('a detached object', waiting.detach())])
      await leaving.detach()
      await assert.rejects(leaving.put(4), { code: 'ERR_QUEUE_CLOSED' })
      const got = [await queue.get(), await queue.get(), await within('the item in hand', queue.get())]
      assert.deepEqual(got.sort(), [1, 2, 3])
    })

    it('loses nothing that is taken while it is detached', async () => {
      const key = freshKey()
      await using queue = await open<number>(key, { ackWait: 60_000 })
      await queue.put(1)
      const leaving = await open<number>(key, { ackWait: 60_000 })
      const get = leaving.receive().then(
        () => assert.fail('should not be delivered'),
        () => undefined,
      )
      await Promise.all([get, leaving.detach()])
      assert.equal(await within('the item', queue.get()), 1)
    })

    it('ends a next() that waits when the iterator returns', async () => {
      await using queue = await open<number>(freshKey())
      const iterator = queue[Symbol.asyncIterator]()
      const next = iterator.next()
      await within('the end of the iterator', Promise.resolve(iterator.return?.()))
      assert.deepEqual(await within('the end of next()', next), { done: true, value: undefined })
      await queue.put(1)
      assert.equal(await queue.get(), 1)
    })

    it('ends waiting calls by their signal and timeout', async () => {
      await using queue = await open<number>(freshKey())
      await assert.rejects(queue.get({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
      const reason = new Error('enough')
      await assert.rejects(queue.get({ signal: AbortSignal.abort(reason) }), reason)
      const abort = new AbortController()
      const get = queue.get({ signal: abort.signal })
      abort.abort(reason)
      await assert.rejects(get, reason)
    })

    it('sets aside what can not be decoded', async function () {
      // It takes a second, and concerns the client little.
      if (name !== 'redis') return this.skip()
      const key = freshKey()
      const codec = { encode: String, decode: (bytes: Buffer) => (bytes.toString() === 'bad' ? assert.fail('bad') : bytes.toString()) }
      await using queue = await open<string>(key, { codec, deliveries: 2 })
      await queue.putMany(['bad', 'good'])
      assert.equal(await within('the good item', queue.get()), 'good')
      const get = queue.get()
      const deadline = performance.now() + 5000
      while ((await queue.stats()).poisoned === 0) assert.ok(performance.now() < deadline, 'the bad item is not set aside')
      await queue.put('end')
      assert.equal(await within('the next item', get), 'end')
      assert.deepEqual(await queue.stats(), { depth: 0, inHand: 0, redelivered: 1, poisoned: 1 })
    })

    it('goes on when the server has been killed and started again', async () => {
      await using queue = await open<number>(freshKey())
      await queue.put(1)
      await server.kill()
      const put = queue.put(2)
      const aborted = queue.put(3, { timeout: 50 })
      await assert.rejects(within('the end of a put by its timeout', aborted), { code: 'ERR_TIMEOUT' })
      await server.start()
      await within('the put', put)
      assert.deepEqual([await queue.get(), await queue.get()], [1, 2])
    })

    it('refuses bad arguments, and what does not fit the queue that is there', async () => {
      const key = freshKey()
      await using queue = await open<number>(key, { capacity: 5, group: 'workers' })
      await assert.rejects(open(key, { capacity: 6 }), { code: 'ERR_INVALID_ARG_VALUE', message: /capacity.*must be 5.*Received 6/ })
      await assert.rejects(open(key, { group: 'others' }), { code: 'ERR_INVALID_ARG_VALUE', message: /group.*workers.*others/ })
      await assert.rejects(RedisQueue.open({} as RedisClient, key), { code: 'ERR_INVALID_ARG_TYPE' })
      await assert.rejects(open(''), { code: 'ERR_INVALID_ARG_VALUE' })
      await assert.rejects(open('{}:a'), { code: 'ERR_INVALID_ARG_VALUE', message: /hash tag/ })
      await assert.rejects(open(key, { capacity: 0 }), { code: 'ERR_OUT_OF_RANGE' })
      await assert.rejects(open(key, { ackWait: -1 }), { code: 'ERR_OUT_OF_RANGE' })
      await assert.rejects(queue.getMany(0), { code: 'ERR_OUT_OF_RANGE' })
      await assert.rejects(queue.get({ timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' })
      await assert.rejects(queue.put(undefined as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
    })
  })
}
