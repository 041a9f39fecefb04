-- Closes the queue for all, and wakes everybody who waits.
-- KEYS: items, state, room.
if redis.call('HSETNX', KEYS[2], 'closed', 1) == 0 then return 0 end
redis.call('HSET', KEYS[2], 'mark', redis.call('XADD', KEYS[1], '*', 'closed', 1))
if redis.call('LLEN', KEYS[3]) == 0 then redis.call('RPUSH', KEYS[3], 1) end
return 1
