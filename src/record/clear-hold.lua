--[[
  Clears one hold of a subscriber; after the last one its clock continues.
  Included, never run. Returns whether the hold was set.
]]
--- @constant HOLD_FIELDS
local function clear_hold(key, hold, now)
  if redis.call('HDEL', key, 'hold:' .. hold) == 0 then return false end
  local holds = redis.call('HMGET', key, unpack(HOLD_FIELDS))
  for i = 1, #HOLD_FIELDS do
    if holds[i] then return true end
  end
  local since = tonumber(redis.call('HGET', key, 'heldSince') or now)
  redis.call('HINCRBY', key, 'heldTotal', now - since)
  redis.call('HDEL', key, 'heldSince')
  return true
end
