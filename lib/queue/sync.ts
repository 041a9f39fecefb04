/**
 * The rest of a synchronous call whose first try failed: it applies the overflow policy, blocks, or
 * throws.
 */
import { native } from '../addon/native.js'
import { tellingDrops } from '../diagnostics.js'
import { QueueClosedError, QueueEmptyError, QueueFullError, TimeoutError } from '../errors.js'
import { type Batch, withCount } from '../lane/batch.js'
import { CLOSED, type None } from '../lane/lane.js'
import { blocking } from '../wait/blocking.js'
import { NOTHING } from '../wait/selectable.js'
import type { Channel } from './channel.js'
import type { ThreadSafeQueue } from './typed-queue.js'

const { status: STATUS } = native

type AnyQueue = ThreadSafeQueue<unknown, unknown>

/** Puts by the overflow policy. */
function offer(queue: AnyQueue, channel: Channel, put: () => number): number {
  return channel.mayDrop ? tellingDrops(queue, () => channel.dropped(), put) : put()
}

/**
 * Completes a put that does not wait, of the item in the lane's hand. Returns whether the item is
 * in.
 */
export function offered(queue: AnyQueue, channel: Channel, tried: number): boolean {
  const status = tried === STATUS.full ? offer(queue, channel, () => channel.lane.offerInHand()) : tried
  if (status === STATUS.closed) throw new QueueClosedError(channel)
  return status === STATUS.ok
}

/** Completes a put; `timeout` is undefined if it does not wait. */
export function putLate(queue: AnyQueue, channel: Channel, tried: number, timeout: number | undefined): void {
  const { lane } = channel
  let status = tried
  if (status === STATUS.full) {
    if (timeout === undefined) status = offer(queue, channel, () => lane.offerInHand())
    else if (timeout === 0) {
      lane.dropInHand()
      status = STATUS.timeout
    } else status = blocking('put', [queue], () => lane.blockInHand(timeout))
  }
  if (status === STATUS.full) throw new QueueFullError(channel)
  if (status === STATUS.closed) throw new QueueClosedError(channel)
  if (status === STATUS.timeout) throw new TimeoutError(timeout as number, channel)
}

export function putManyLate(queue: AnyQueue, channel: Channel, batch: Batch<unknown>, tried: number, timeout: number | undefined): void {
  const { lane } = channel
  let status = tried
  if (status === STATUS.full) {
    if (timeout === undefined) status = offer(queue, channel, () => lane.offerRest(batch))
    else if (timeout === 0) status = STATUS.timeout
    else status = blocking('put', [queue], () => lane.putManyBlocking(batch, timeout))
  }
  if (status === STATUS.closed) throw withCount(new QueueClosedError(channel), batch)
  if (status === STATUS.timeout) throw withCount(new TimeoutError(timeout as number, channel), batch)
}

/** Completes a get. `tried` is what the first try returned; `block` makes the blocking get. */
export function getLate(
  queue: AnyQueue,
  channel: Channel,
  tried: None,
  timeout: number | undefined,
  block: (milliseconds: number) => unknown,
): unknown {
  if (tried === CLOSED) throw new QueueClosedError(channel)
  if (timeout === undefined) throw new QueueEmptyError(channel)
  if (timeout === 0) throw new TimeoutError(0, channel)
  const item = blocking('get', [queue], () => block(timeout))
  if (item === CLOSED) throw new QueueClosedError(channel)
  if (item === NOTHING) throw new TimeoutError(timeout, channel)
  return item
}
