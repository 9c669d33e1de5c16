--[[
  A throttle, in fields of a subscriber's hash; included, never run.
    hold:throttle    since
    throttle:until   latest end, milliseconds
]]
-- Starts no delivery for this time; a longer throttle that is in force stays.
local function throttle(key, ms, now)
  redis.call('HSETNX', key, 'hold:throttle', now)
  redis.call('HSETNX', key, 'heldSince', now)
  local known = tonumber(redis.call('HGET', key, 'throttle:until') or 0)
  redis.call('HSET', key, 'throttle:until', math.max(known, now + ms))
end
