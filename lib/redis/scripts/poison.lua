-- Sets an item aside that could not be decoded, once it has been delivered so many times.
-- KEYS: items, state, poison, room. ARGV: group, consumer, id, most deliveries, and the idle time
-- in ms of an item that is given back.
-- Returns 1 if it was set aside.
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #pending == 0 then return 0 end
if pending[1][4] < tonumber(ARGV[4]) then
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', ARGV[5], 'JUSTID')
  return 0
end
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
-- A server that is out of memory refuses a script whose first write needs memory. These need none.
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
if entry then redis.call('XADD', KEYS[3], '*', 'v', entry[2][2]) end
redis.call('HINCRBY', KEYS[2], 'poisoned', 1)
if redis.call('HDEL', KEYS[2], 'waiting') == 1 and redis.call('LLEN', KEYS[4]) == 0 then redis.call('RPUSH', KEYS[4], 1) end
return 1
