-- Closes the queue for all, and wakes everybody who waits.
-- KEYS: items, state, room. Returns 1, or 0 if it was closed before.
if redis.call('HEXISTS', KEYS[2], 'closed') == 1 then return 0 end
-- A server that is out of memory refuses a script whose first write needs memory. A queue that
-- can't be closed would never be drained, so the first write is one that needs none.
redis.call('HDEL', KEYS[2], 'waiting')
redis.call('HSET', KEYS[2], 'closed', 1)
redis.call('HSET', KEYS[2], 'mark', redis.call('XADD', KEYS[1], '*', 'closed', 1))
if redis.call('LLEN', KEYS[3]) == 0 then redis.call('RPUSH', KEYS[3], 1) end
return 1
