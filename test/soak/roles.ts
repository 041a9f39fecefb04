/** The tasks of the soak's workers. */
import type { Held } from '../fixtures/kills-toll.js'

export const CONSUMERS = ['get', 'forEach', 'iterate', 'batches', 'select', 'selectSync', 'poll', 'impatient'] as const
export const PUTTERS = ['put', 'putAsync', 'putMany'] as const
export const STEADY = ['putters', 'asyncPutters', 'getters', 'echo', 'echoEvent', 'sharer', 'lender'] as const

export type VictimsRole = (typeof CONSUMERS)[number] | (typeof PUTTERS)[number] | 'share'
export type Role = VictimsRole | (typeof STEADY)[number]

/** The most items that a victim gets or puts at once. */
export const MOST_IN_HAND = 8

/** The most that a kill can lose, by the role of the victim. */
export const HELD: Readonly<Record<VictimsRole, Held>> = {
  get: { own: 1 },
  forEach: { own: 1 },
  iterate: { own: 1 },
  batches: { own: MOST_IN_HAND },
  select: { any: 1 },
  selectSync: { any: 1 },
  poll: { own: 1 },
  impatient: { own: 1 },
  put: { own: 1 },
  putAsync: { own: 1 },
  putMany: { own: MOST_IN_HAND },
  share: {},
}
