-- Removes items that have been dealt with, and wakes a producer that waits for room.
-- KEYS: items, state, room. ARGV: group, ids...
for k = 2, #ARGV do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[k])
  redis.call('XDEL', KEYS[1], ARGV[k])
end
if redis.call('HDEL', KEYS[2], 'waiting') == 1 and redis.call('LLEN', KEYS[3]) == 0 then redis.call('RPUSH', KEYS[3], 1) end
return 1
