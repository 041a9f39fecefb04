/** Every case, in the order in which they are measured and reported. */
import { betweenThreads } from './cases/between-threads.js'
import { batches } from './cases/batches.js'
import { blocks } from './cases/blocks.js'
import { context } from './cases/context.js'
import { forAwait } from './cases/for-await.js'
import { items } from './cases/items.js'
import { blocked } from './cases/blocked.js'
import { locks } from './cases/locks.js'
import { manyWaiting } from './cases/many-waiting.js'
import { nativeToLoop } from './cases/native.js'
import { objects } from './cases/objects.js'
import { oneThread } from './cases/one-thread.js'
import { pingPong } from './cases/ping-pong.js'
import { pingPongLoops } from './cases/ping-pong-loops.js'
import { pools } from './cases/pools.js'
import { processes } from './cases/processes.js'
import { records } from './cases/records.js'
import { resources } from './cases/resources.js'
import { signals } from './cases/signals.js'
import { wake } from './cases/wake.js'
import type { Case } from './harness/case.js'

export const cases: readonly Case[] = [
  ...oneThread,
  ...records,
  ...items,
  ...betweenThreads,
  ...blocks,
  ...locks,
  ...pools,
  ...objects,
  ...batches,
  ...pingPong,
  ...pingPongLoops,
  ...wake,
  ...manyWaiting,
  ...forAwait,
  ...signals,
  ...nativeToLoop,
  ...blocked,
  ...context,
  ...processes,
  ...resources,
]
