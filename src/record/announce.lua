--[[
  Announces that a replica lives, and what it is.

  KEYS  1 the replica  2 replicas
  ARGV  1 its id  2 how long the announcement is valid, milliseconds  3… its fields and
        their values in turn; none if they have not changed
  Returns  1, or 0 if its fields are no longer known: announce all of them
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Removes replicas that have crashed. A full Redis refuses a script's first write only, and never this one.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)

if #ARGV > 2 then redis.call('HSET', KEYS[1], unpack(ARGV, 3)) end
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return 1
