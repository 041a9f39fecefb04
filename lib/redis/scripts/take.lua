-- Takes items: first those that any consumer has had in hand for too long, then new ones.
-- KEYS: items, state, operation of this client.
-- ARGV: operation's number, its life in ms, group, consumer, most, acknowledge wait in ms, 1 to
-- look for items that were in hand for too long.
-- Returns { { id, item }... }, the stream's last id, 1 if the queue is closed, the number of items
-- that are not acknowledged, and 1 if there may be more that were in hand for too long. A repeated
-- operation returns the items that it took before and that are still in hand.
local items = {}
local function add(entries)
  for _, entry in ipairs(entries) do
    -- Redis 6.2 returns nothing for an entry that was deleted while it was in hand.
    if entry and entry[2] then
      if entry[2][1] == 'v' then
        items[#items + 1] = { entry[1], entry[2][2] }
      else
        -- The mark that woke everybody when the queue was closed.
        redis.call('XACK', KEYS[1], ARGV[3], entry[1])
        redis.call('XDEL', KEYS[1], entry[1])
        redis.call('HDEL', KEYS[2], 'mark')
      end
    end
  end
end

local more = 0
local number = tonumber(ARGV[1])
local last = redis.call('HMGET', KEYS[3], 'take', 'ids')
local last_number = tonumber(last[1] or 0)
if number < last_number then
  return redis.error_reply('STALE this command was overtaken by its successor')
elseif number == last_number then
  for id in string.gmatch(last[2], '%S+') do
    if #redis.call('XPENDING', KEYS[1], ARGV[3], id, id, 1, ARGV[4]) > 0 then add(redis.call('XRANGE', KEYS[1], id, id)) end
  end
else
  local most = tonumber(ARGV[5])
  if ARGV[7] == '1' then
    -- XAUTOCLAIM looks at ten entries for each that is wanted, and returns where to go on. The
    -- place is kept in the queue's state, so that the next look, by any consumer, goes on there.
    local cursor = redis.call('HGET', KEYS[2], 'cursor') or '0-0'
    local looks = 0
    repeat
      local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[3], ARGV[4], ARGV[6], cursor, 'COUNT', most - #items)
      cursor = claimed[1]
      looks = looks + 1
      add(claimed[2])
    until cursor == '0-0' or #items == most or looks == 100
    redis.call('HSET', KEYS[2], 'cursor', cursor)
    if cursor ~= '0-0' then more = 1 end
    if #items > 0 then redis.call('HINCRBY', KEYS[2], 'redelivered', #items) end
    -- Removes consumers that have been idle for long and have nothing in hand. One that lives is
    -- made again by its next command.
    for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[3])) do
      local of = {}
      for k = 1, #one, 2 do of[one[k]] = one[k + 1] end
      if of.pending == 0 and of.name ~= ARGV[4] and of.idle > math.max(10 * ARGV[6], 60000) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[3], of.name)
      end
    end
  end
  if #items < most then
    local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', most - #items, 'STREAMS', KEYS[1], '>')
    if read then add(read[1][2]) end
  end
  local ids = {}
  for k, item in ipairs(items) do ids[k] = item[1] end
  redis.call('HSET', KEYS[3], 'take', ARGV[1], 'ids', table.concat(ids, ' '))
  redis.call('PEXPIRE', KEYS[3], ARGV[2])
end

local info = redis.call('XINFO', 'STREAM', KEYS[1])
local last_id = '0-0'
for k = 1, #info, 2 do
  if info[k] == 'last-generated-id' then last_id = info[k + 1] end
end
local left = redis.call('XLEN', KEYS[1]) - redis.call('HEXISTS', KEYS[2], 'mark')
return { items, last_id, redis.call('HEXISTS', KEYS[2], 'closed'), left, more }
