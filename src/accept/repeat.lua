--[[
  The cheap question before accepting: has this been seen? Counts it when so.

  KEYS  1 task  2 stats
  ARGV  1 prefix  2 digest  3 status  4 dedupe window in milliseconds
  Returns  the id of the first one, or false when this is none or may be none
]]
local claim = redis.call('HGET', KEYS[1], 'c:' .. ARGV[3] .. ':' .. ARGV[2])
if not claim then return false end
local first, at = string.match(claim, '^(%S+) (%d+)$')
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(at) >= tonumber(ARGV[4]) then return false end
local event = ARGV[1] .. 'event:' .. first
-- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
redis.call('HDEL', KEYS[2], 'x')
if redis.call('EXISTS', event) == 1 then redis.call('HINCRBY', event, 'dup', 1) end
redis.call('HINCRBY', KEYS[2], 'duplicates', 1)
return first
