-- Puts as many items as there is room for.
-- KEYS: items, state, operation of this client, room.
-- ARGV: operation's number, its life in ms, 1 if this client was woken because there is room,
-- number of the attempt, items...
-- Returns how many items went in, or -1 if the queue is closed, and the number of the attempt that
-- put them. A repeated operation, whose reply was lost, does nothing and returns the same again. It
-- may carry other items, as calls have given up meanwhile.
local number = tonumber(ARGV[1])
local last = redis.call('HMGET', KEYS[3], 'put', 'accepted', 'attempt')
local last_number = tonumber(last[1] or 0)
if number < last_number then return redis.error_reply('STALE this command was overtaken by its successor') end
if number == last_number then return { tonumber(last[2]), tonumber(last[3]) } end
local state = redis.call('HMGET', KEYS[2], 'capacity', 'closed')
if not state[1] then return redis.error_reply('ERR the queue is gone: its keys were deleted') end
local accepted = -1
local sent = #ARGV - 4
local room = tonumber(state[1]) - redis.call('XLEN', KEYS[1])
if not state[2] then
  accepted = math.min(math.max(room, 0), sent)
  -- A server that is out of memory refuses a script whose first write needs memory. If there is no
  -- room, the first write is one that needs none, so that the put waits and is not refused.
  if accepted == 0 then redis.call('PEXPIRE', KEYS[3], ARGV[2]) end
  for k = 1, accepted do redis.call('XADD', KEYS[1], '*', 'v', ARGV[k + 4]) end
  if accepted < sent then redis.call('HSET', KEYS[2], 'waiting', 1) end
end
redis.call('HSET', KEYS[3], 'put', ARGV[1], 'accepted', accepted, 'attempt', ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
-- One token wakes one producer, which passes it on: others may wait for the room that is left, for
-- the next room, or to learn that the queue is closed.
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[2], 'waiting', 1)
  if (state[2] or room > accepted) and redis.call('LLEN', KEYS[4]) == 0 then redis.call('RPUSH', KEYS[4], 1) end
end
return { accepted, tonumber(ARGV[4]) }
