-- KEYS: items, state, poison. ARGV: group.
-- Returns the numbers of items that are not acknowledged, in hand, redelivered and poisoned, and 1
-- if the queue is closed.
local state = redis.call('HMGET', KEYS[2], 'redelivered', 'poisoned', 'closed')
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
local depth = redis.call('XLEN', KEYS[1]) - redis.call('HEXISTS', KEYS[2], 'mark')
return { depth, pending[1], tonumber(state[1] or 0), tonumber(state[2] or 0), state[3] and 1 or 0 }
