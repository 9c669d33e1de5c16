--[[
  Ends an order, once: what was cancelled is not done, and the other way round.

  KEYS  1 order  2 orders that run  3 replays that run, as older gateways keep them
  ARGV  1 order id  2 done or cancelled  3 now, milliseconds
  Returns  1, or 0 when it had ended already
]]
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'finishedAt', ARGV[3])
-- Of what was purged not even what it was called by is kept.
if redis.call('HGET', KEYS[1], 'kind') == 'purge' then redis.call('HDEL', KEYS[1], 'order') end
return 1
