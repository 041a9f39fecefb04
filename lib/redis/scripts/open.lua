-- Makes the queue if there is none.
-- KEYS: items, state. ARGV: capacity or '', default capacity, group.
-- Returns the capacity, the group, and 1 if the queue is closed.
local state = redis.call('HMGET', KEYS[2], 'capacity', 'group', 'closed')
if not state[1] then
  state = { ARGV[1] ~= '' and ARGV[1] or ARGV[2], ARGV[3], false }
  redis.call('HSET', KEYS[2], 'capacity', state[1], 'group', state[2])
end
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], state[2], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
return { tonumber(state[1]), state[2], state[3] and 1 or 0 }
