-- Removes the consumer if it has nothing in hand. One that has items in hand stays: the server would
-- forget these items with it.
-- A command of this client's that is still on its way, over a connection that broke, does nothing
-- from now on: the number set here is higher than that of any operation.
-- KEYS: items, operation of this client. ARGV: group, consumer.
-- A server that is out of memory refuses a script whose first write needs memory. This one needs
-- none.
redis.call('PEXPIRE', KEYS[2], 60000)
redis.call('HSET', KEYS[2], 'put', '9007199254740991', 'take', '9007199254740991')
redis.call('PEXPIRE', KEYS[2], 60000)
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return 1
