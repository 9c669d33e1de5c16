--[[
  Sets or clears one hold of a subscriber. Its clock stops with the first hold
  and goes on when the last is cleared.

  KEYS  1 subscriber  2 subscribers
  ARGV  1 subscriber's name  2 hold: pause, gone, disabled, removed or breaker  3 "set" or "clear"
  Returns  1 when something changed, else 0
]]
local key, field = KEYS[1], 'hold:' .. ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
redis.call('HDEL', key, 'x')
redis.call('SADD', KEYS[2], ARGV[1])

if ARGV[3] == 'set' then
  local changed = redis.call('HSETNX', key, field, now)
  if changed == 1 then redis.call('HSETNX', key, 'heldSince', now) end
  return changed
end

if redis.call('HDEL', key, field) == 0 then return 0 end
local holds = redis.call('HMGET', key, 'hold:pause', 'hold:gone', 'hold:disabled', 'hold:removed', 'hold:breaker')
for i = 1, 5 do
  if holds[i] then return 1 end
end
local since = tonumber(redis.call('HGET', key, 'heldSince') or now)
redis.call('HINCRBY', key, 'heldTotal', now - since)
redis.call('HDEL', key, 'heldSince')
return 1
