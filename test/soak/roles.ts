/** The tasks of the soak's victims. */
export const CONSUMERS = ['get', 'forEach', 'iterate', 'batches', 'select', 'impatient'] as const
export const PUTTERS = ['put', 'putAsync', 'putMany'] as const
export const STEADY = ['putters', 'asyncPutters', 'getters', 'echo', 'echoEvent', 'sharer', 'lender'] as const

export type Role = (typeof CONSUMERS)[number] | (typeof PUTTERS)[number] | (typeof STEADY)[number] | 'share'

/** The most items that a victim holds at once. */
export const MOST_IN_HAND = 8
