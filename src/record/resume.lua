--[[
  An operator resumes a subscriber: its pause, gone and throttle end, and an open
  breaker starts its trial now.

  KEYS  1 subscriber  2 subscribers
  ARGV  1 subscriber's name
  Returns  the holds that ended
]]
--- @include clear-hold.lua
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A full Redis refuses a script's first write only, and never this one: steps that free memory, or use none, must continue.
redis.call('HDEL', key, 'throttle:until')
redis.call('SADD', KEYS[2], ARGV[1])
local ended = {}
for _, hold in ipairs({ 'pause', 'gone', 'throttle', 'breaker' }) do
  if clear_hold(key, hold, now) then ended[#ended + 1] = hold end
end
if ended[#ended] == 'breaker' then
  redis.call('HDEL', key, 'breaker:told')
  redis.call('HSET', key, 'breaker', 'half-open')
end
return ended
