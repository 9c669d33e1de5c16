--[[
  Makes the holds true that configuration decides, if it is this configuration that decides: the one that was taken up last, for
  as long as whoever took it up says again and again that it lives.

  KEYS  1 subscribers
  ARGV  1 packed:
          prefix      "{relay}:"
          by          who asks
          at          when it took its configuration up, as this script said then; 0 when it takes it up now
          lifetimeMs  for so long it is believed to live
          configured  list of {name, whether it is enabled, digest of where its deliveries go}
  Returns  1 packed: {its place, or 0 when another decides;
             list of {name, hold, whether it was set (or else cleared)}; list of those that are configured no more}
]]
--- @include clear-hold.lua
local input = cmsgpack.unpack(ARGV[1])
-- Who decides: `by`, its place among all that were taken up as `at`, and `until`, milliseconds.
local DECIDER = input.prefix .. 'holds-decider'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local decider = redis.call('HMGET', DECIDER, 'by', 'at', 'until')
local last_at, lasts = tonumber(decider[2] or nil) or 0, tonumber(decider[3] or nil) or 0
-- Longer than a lifetime it would live by a clock that was set back since.
local lives = decider[1] and now < lasts and lasts <= now + input.lifetimeMs
local at = input.at
if at == 0 then
  at = math.max(now, last_at + 1)
elseif lives and decider[1] ~= input.by and at <= last_at then
  return { cmsgpack.pack({ 0, {}, {} }) }
end

-- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
redis.call('HDEL', DECIDER, 'x')
redis.call('HSET', DECIDER, 'by', input.by, 'at', string.format('%.0f', at), 'until', string.format('%.0f', now + input.lifetimeMs))

local changes, removed = {}, {}
local function align(name, hold, wanted, is_set)
  if wanted == is_set then return end
  local key = input.prefix .. 'subscriber:' .. name
  if wanted then
    redis.call('HSETNX', key, 'hold:' .. hold, now)
    redis.call('HSETNX', key, 'heldSince', now)
  else
    clear_hold(key, hold, now)
  end
  changes[#changes + 1] = { name, hold, wanted }
end

local function read(name)
  local known = redis.call('HMGET', input.prefix .. 'subscriber:' .. name, 'hold:removed', 'hold:disabled', 'hold:throttle', 'target')
  return known[1] ~= false, known[2] ~= false, known[3] ~= false, known[4]
end

local is_configured = {}
for _, entry in ipairs(input.configured) do
  local name, enabled, target = unpack(entry)
  local key = input.prefix .. 'subscriber:' .. name
  is_configured[name] = true
  redis.call('SADD', KEYS[1], name)
  local is_removed, is_disabled, is_throttled, known_target = read(name)
  align(name, 'removed', false, is_removed)
  align(name, 'disabled', not enabled, is_disabled)
  -- A throttle was asked for by whoever answered: it ends when deliveries go elsewhere.
  if known_target ~= target then
    redis.call('HSET', key, 'target', target)
    if known_target and is_throttled then
      redis.call('HDEL', key, 'throttle:until')
      align(name, 'throttle', false, true)
    end
  end
end

for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if not is_configured[name] then
    local is_removed, is_disabled = read(name)
    align(name, 'removed', true, is_removed)
    align(name, 'disabled', false, is_disabled)
    removed[#removed + 1] = name
  end
end
return { cmsgpack.pack({ at, changes, removed }) }
