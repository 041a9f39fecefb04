/** Native code uses locks and pools of buffers through the functions of threadsafe.h. */
import { strict as assert } from 'node:assert'
import { constants } from 'node:os'
import { BufferPool, Lock } from '../../lib/index.js'
import {
  CLOSED,
  EMPTY,
  ENDED,
  type NativeLock,
  type NativePool,
  OK,
  TIMEOUT,
  TYPES,
  WRONG_KIND,
  WRONG_SIZE,
  WRONG_TYPE,
} from '../fixtures/native-addon.js'
import { startWorker, until } from '../support.js'
import { addon, numbers, useNativeCode } from './native-code.js'

const NO_WAIT = -1

describe('native code with locks and pools', function () {
  useNativeCode(this)

  it('opens locks and pools as what they are, and nothing else', () => {
    const pool = new BufferPool(2, 'float32[16]')
    const lock = new Lock()
    for (const native of [numbers(1).native, pool.native, {}, undefined]) assert.equal(addon.openLock(native), WRONG_KIND)
    for (const native of [numbers(1).native, lock.native]) assert.equal(addon.openPool(native, TYPES.float32, 64), WRONG_KIND)
    assert.equal(addon.openPool(pool.native, TYPES.uint32, 64), WRONG_TYPE)
    assert.equal(addon.openPool(pool.native, TYPES.float32, 60), WRONG_SIZE)
    assert.equal(addon.poolClose(addon.openPool(pool.native, TYPES.float32, 64) as NativePool), OK)
    assert.equal(addon.lockClose(addon.openLock(lock.native) as NativeLock), OK)
  })

  it('can see whether a lock is held', () => {
    const lock = new Lock()
    const opened = addon.openLock(lock.native) as NativeLock
    assert.equal(addon.lockIsHeld(opened), 0)
    const held = lock.acquireSync()
    assert.equal(addon.lockIsHeld(opened), 1)
    held.release()
    assert.equal(addon.lockIsHeld(opened), 0)
    assert.equal(addon.lockCancel(opened), OK)
    assert.equal(addon.lockIsHeld(opened), -CLOSED)
    assert.equal(addon.lockClose(opened), OK)
  })

  it('lends, passes on, takes and gives back', async () => {
    const pool = new BufferPool(2, 'bytes[64]')
    const opened = addon.openPool(pool.native, TYPES.bytes, 64) as NativePool
    const lease = addon.poolLend(opened, NO_WAIT)
    assert.equal(addon.poolFill(opened, lease, 64, 7), OK)
    const other = addon.poolLend(opened, 0)
    assert.equal(addon.poolLend(opened, NO_WAIT), -EMPTY)
    assert.equal(addon.poolLend(opened, 0), -TIMEOUT)
    assert.equal(addon.poolLend(opened, 5), -TIMEOUT)
    // A buffer goes from native code to JavaScript, and back.
    const token = addon.poolPass(opened, lease)
    const taken = pool.take(token)
    assert.deepEqual(taken.data, new Uint8Array(64).fill(7))
    taken.data[63] = 9
    const back = addon.poolTake(opened, taken.pass())
    assert.equal(addon.poolByte(opened, back, 63), 9)
    for (const ended of [lease, token]) {
      assert.equal(addon.poolTake(opened, ended), -ENDED)
      assert.equal(addon.poolPass(opened, ended), -ENDED)
      assert.equal(addon.poolByte(opened, ended, 0), -ENDED)
      assert.equal(addon.poolRelease(opened, ended), ENDED)
    }
    const waiting = pool.lend()
    assert.equal(addon.poolRelease(opened, back), OK)
    assert.equal(addon.poolRelease(opened, back), ENDED)
    ;(await waiting).release()
    assert.equal(addon.poolRelease(opened, other), OK)
    assert.deepEqual(pool.stats(), { free: 2, lent: 0, passed: 0 })
    assert.equal(addon.poolCancel(opened), OK)
    assert.deepEqual([addon.poolLend(opened, NO_WAIT), addon.poolLend(opened, 1000)], [-CLOSED, -CLOSED])
    assert.equal(addon.poolClose(opened), OK)
  })

  it('lends, passes on, takes and gives back in a signal handler', function () {
    if (process.platform === 'win32') return this.skip()
    const pool = new BufferPool(2, 'bytes[64]')
    const lock = new Lock()
    const openedPool = addon.openPool(pool.native, TYPES.bytes, 64) as NativePool
    const openedLock = addon.openLock(lock.native) as NativeLock
    const signo = constants.signals.SIGUSR2
    assert.deepEqual(addon.poolInHandler(openedPool, openedLock, signo, 100), { roundTrips: 100, held: 0 })
    const held = lock.acquireSync()
    const leases = [pool.lendSync(), pool.lendSync()]
    assert.deepEqual(addon.poolInHandler(openedPool, openedLock, signo, 10), { roundTrips: 0, held: 10 })
    for (const lease of leases) lease.release()
    held.release()
    addon.poolClose(openedPool)
    addon.lockClose(openedLock)
  })

  it('loses its leases to the pool when its isolate ends, even if the handle was closed and forgotten', async () => {
    for (const closes of [false, true]) {
      const pool = new BufferPool(3, 'bytes[64]')
      const worker = startWorker('native-pool-worker', { handle: pool.handle, closes })
      await until('the worker to lend', () => pool.stats().lent === 2)
      await worker.terminate()
      assert.deepEqual(pool.stats(), { free: 3, lent: 0, passed: 0 })
    }
  })
})
