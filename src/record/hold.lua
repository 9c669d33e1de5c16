--[[
  Sets or clears one hold of a subscriber. Its clock stops with the first hold
  and continues when the last is cleared. (The hold `gone` after a 410 is set with
  the attempt, in record-attempts.lua; `throttle` in throttle.lua; `breaker` in
  breaker.lua.)

  KEYS  1 subscriber  2 subscribers
  ARGV  1 subscriber's name  2 hold: pause, gone, disabled, removed or breaker  3 "set" or "clear"
  Returns  1 if something changed, else 0
]]
--- @include clear-hold.lua
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A full Redis refuses a script's first write only, and never this one: steps that free memory, or use none, must continue.
redis.call('HDEL', key, 'x')
redis.call('SADD', KEYS[2], ARGV[1])

if ARGV[3] == 'set' then
  local changed = redis.call('HSETNX', key, 'hold:' .. ARGV[2], now)
  if changed == 1 then redis.call('HSETNX', key, 'heldSince', now) end
  return changed
end

return clear_hold(key, ARGV[2], now) and 1 or 0
