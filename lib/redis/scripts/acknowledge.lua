-- Removes items that have been dealt with, and wakes a producer that waits for room.
-- KEYS: items, state, room. ARGV: group, ids...
redis.call('XACK', KEYS[1], unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
if redis.call('HDEL', KEYS[2], 'waiting') == 1 and redis.call('LLEN', KEYS[3]) == 0 then redis.call('RPUSH', KEYS[3], 1) end
return redis.call('XLEN', KEYS[1])
