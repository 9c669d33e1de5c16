--[[
  Takes an order; a runner carries it out. It concerns only events that are in the record now.

  KEYS  1 order  2 orders by time  3 orders that run  4 last sequence
  ARGV  1 order id  2 kind  3 now, milliseconds  4 order, JSON
  Returns  1
]]
-- A full Redis refuses a script's first write only, and not this one: to discard makes room.
redis.call('SREM', KEYS[3], 'x')
local above = string.format('%.0f', (redis.call('GET', KEYS[4]) or 0) + 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'kind', ARGV[2], 'queued', 0, 'delivered', 0, 'failed', 0, 'discarded', 0, 'purged', 0,
  'createdAt', ARGV[3], 'order', ARGV[4], 'cursor', above, 'counted', 0, 'countCursor', above)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
