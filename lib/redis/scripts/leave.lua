-- Gives back items that were taken in advance, and forgets the consumer if it has nothing in hand:
-- with a consumer that is removed, the server would forget the items that it has in hand.
-- KEYS: items, operation of this client. ARGV: group, consumer, idle time in ms, ids...
for k = 4, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[k], ARGV[k], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[k], 'IDLE', ARGV[3], 'JUSTID')
  end
end
redis.call('DEL', KEYS[2])
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return 1
