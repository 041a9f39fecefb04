-- Says for how long items have been in this consumer's hand: 0 to keep them, a long time to give
-- them back. Items that another consumer has by now are left alone.
-- KEYS: items. ARGV: group, consumer, idle time in ms, ids...
for k = 4, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[k], ARGV[k], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[k], 'IDLE', ARGV[3], 'JUSTID')
  end
end
return #ARGV - 3
