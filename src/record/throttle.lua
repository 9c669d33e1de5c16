--[[
  Throttling, in fields of a subscriber's hash; included, never run.
    hold:throttle    since
    throttle:until   no longer than this, milliseconds
]]
-- Starts no delivery for so long; a longer throttling that is in force stays.
local function throttle(key, ms, now)
  redis.call('HSETNX', key, 'hold:throttle', now)
  redis.call('HSETNX', key, 'heldSince', now)
  local known = tonumber(redis.call('HGET', key, 'throttle:until') or 0)
  redis.call('HSET', key, 'throttle:until', math.max(known, now + ms))
end
