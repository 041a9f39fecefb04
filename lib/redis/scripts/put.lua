-- Puts as many items as there is room for.
-- KEYS: items, state, operation of this client, room.
-- ARGV: operation's number, its life in ms, 1 if this client was woken because there is room, items...
-- Returns how many went in, or -1 if the queue is closed. A repeated operation does nothing, and
-- returns what it returned before: its reply was lost.
local last = redis.call('HMGET', KEYS[3], 'put', 'accepted')
if last[1] == ARGV[1] then return tonumber(last[2]) end
local state = redis.call('HMGET', KEYS[2], 'capacity', 'closed')
if not state[1] then return redis.error_reply('ERR the queue is gone: its keys were deleted') end
local accepted = -1
local room = tonumber(state[1]) - redis.call('XLEN', KEYS[1])
if not state[2] then
  accepted = math.min(math.max(room, 0), #ARGV - 3)
  for k = 1, accepted do redis.call('XADD', KEYS[1], '*', 'v', ARGV[k + 3]) end
  if accepted < #ARGV - 3 then redis.call('HSET', KEYS[2], 'waiting', 1) end
end
redis.call('HSET', KEYS[3], 'put', ARGV[1], 'accepted', accepted)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
-- Whoever was woken for all passes on: others may wait for the room that is left, for the next that
-- there is, or to be told that the queue is closed.
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[2], 'waiting', 1)
  if (state[2] or room > accepted) and redis.call('LLEN', KEYS[4]) == 0 then redis.call('RPUSH', KEYS[4], 1) end
end
return accepted
