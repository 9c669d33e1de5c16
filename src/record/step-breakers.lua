--[[
  Advances breakers and throttles with time.

  KEYS  1 events
  ARGV  1 packed:
          prefix       "{relay}:"
          stepMs       closing, the rate doubles after this time
          mostPerSecond  above this rate the breaker is closed
          subscribers  list of {name, whether it has a breaker}
  Returns  packed: list of {name, "open", "half-open", "closing", "closed" or "released" (from its throttle)}, the changes
]]
--- @include clear-hold.lua
--- @include breaker.lua
local input = cmsgpack.unpack(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A full Redis refuses a script's first write only, and never this one: deliveries free memory.
redis.call('HDEL', input.prefix .. 'stats', 'x')

-- After a throttle of at least this length, the subscriber may not be healthy.
local LONG_MS = 60000
local SET_BACK_MS = 1000

local function close(key)
  redis.call('HDEL', key, 'breaker:until', 'breaker:opened', 'breaker:told', unpack(BREAKER_TRIAL))
  redis.call('HDEL', key, unpack(BREAKER_COUNTS))
end

local function step(key, has_breaker)
  local known = redis.call('HMGET', key, 'hold:breaker', 'breaker', 'breaker:until', 'breaker:told', 'breaker:at', 'breaker:rate')
  local open, trial = known[1], known[2]
  if not has_breaker and (open or trial) then
    clear_hold(key, 'breaker', now)
    close(key)
    return 'closed'
  end
  -- A hold that began in the future comes from a clock that was set back since.
  if open and (now >= tonumber(known[3] or 0) or now < tonumber(open) - SET_BACK_MS) then
    clear_hold(key, 'breaker', now)
    redis.call('HDEL', key, 'breaker:told')
    redis.call('HSET', key, 'breaker', 'half-open')
    return 'half-open'
  end
  if open and not known[4] then
    redis.call('HSET', key, 'breaker:told', 1)
    return 'open'
  end
  if trial == 'closing' and now >= tonumber(known[5]) + input.stepMs then
    local rate = tonumber(known[6]) * 2
    if rate > input.mostPerSecond then
      close(key)
      return 'closed'
    end
    redis.call('HSET', key, 'breaker:rate', rate, 'breaker:at', now)
    return 'closing'
  end
  return nil
end

-- After a long throttle, the subscriber is tried first: one delivery, then more and more.
local function end_throttling(key, has_breaker)
  local known = redis.call('HMGET', key, 'throttle:until', 'hold:throttle', 'hold:breaker', 'breaker')
  local ends, began = tonumber(known[1] or nil), tonumber(known[2] or nil) or 0
  if not ends or (now < ends and now >= began - SET_BACK_MS) then return false end
  redis.call('HDEL', key, 'throttle:until')
  if has_breaker and not known[3] and not known[4] and now - began >= LONG_MS then redis.call('HSET', key, 'breaker', 'half-open') end
  return clear_hold(key, 'throttle', now)
end

local changes = {}
for _, subscriber in ipairs(input.subscribers) do
  local key = input.prefix .. 'subscriber:' .. subscriber[1]
  if end_throttling(key, subscriber[2]) then changes[#changes + 1] = { subscriber[1], 'released' } end
  local change = step(key, subscriber[2])
  if change then changes[#changes + 1] = { subscriber[1], change } end
end
return { cmsgpack.pack(changes) }
