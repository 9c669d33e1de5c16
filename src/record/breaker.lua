--[[
  The breaker of a subscriber, in fields of its hash; included, never run.
    hold:breaker     open, since
    breaker          "half-open" or "closing"; absent when closed or open
    breaker:until    latest end of the open state, milliseconds
    breaker:opened   how often it has opened in a row
    breaker:rate     closing: deliveries per second   breaker:at  since when
    breaker:told     the open state has been reported
    breaker:window   number of the present window   :all :bad  its attempts; while closing, those since closing began   :all-before :bad-before  those of the window before
]]
local BREAKER_COUNTS = { 'breaker:window', 'breaker:all', 'breaker:bad', 'breaker:all-before', 'breaker:bad-before' }
local BREAKER_TRIAL = { 'breaker', 'breaker:rate', 'breaker:at' }

-- The rate at which closing begins.
local FIRST_PER_SECOND = 8

local function open_breaker(key, rules, opened, now)
  local times = (tonumber(opened or nil) or 0) + 1
  redis.call('HSETNX', key, 'hold:breaker', now)
  redis.call('HSETNX', key, 'heldSince', now)
  redis.call('HSET', key, 'breaker:opened', times, 'breaker:until', now + math.min(rules.openForMs * 2 ^ math.min(times - 1, 30), rules.maxOpenForMs))
  redis.call('HDEL', key, unpack(BREAKER_COUNTS))
  redis.call('HDEL', key, unpack(BREAKER_TRIAL))
end

-- Applies the attempts of one call to the breaker.
local function weigh_breaker(key, rules, good, bad, now)
  local known = redis.call('HMGET', key, 'hold:breaker', 'breaker', 'breaker:opened', unpack(BREAKER_COUNTS))
  if known[1] then return end
  if known[2] == 'half-open' then
    if bad > 0 then
      open_breaker(key, rules, known[3], now)
    else
      redis.call('HSET', key, 'breaker', 'closing', 'breaker:rate', FIRST_PER_SECOND, 'breaker:at', now)
    end
    return
  end
  if known[2] then
    -- Closing, the share alone decides, so that a subscriber with occasional failures recovers too.
    local all, failed = (tonumber(known[5] or nil) or 0) + good + bad, (tonumber(known[6] or nil) or 0) + bad
    if bad > 0 and failed >= rules.share * all then
      open_breaker(key, rules, known[3], now)
    else
      redis.call('HSET', key, 'breaker:all', all, 'breaker:bad', failed)
    end
    return
  end
  local window = math.floor(now / rules.windowMs)
  local counted, all, failed, all_before, failed_before = 0, 0, 0, 0, 0
  if known[4] then
    counted, all, failed, all_before, failed_before = tonumber(known[4]), tonumber(known[5]), tonumber(known[6]), tonumber(known[7]), tonumber(known[8])
  end
  if counted ~= window then
    local follows = counted == window - 1
    all_before, failed_before, all, failed = follows and all or 0, follows and failed or 0, 0, 0
  end
  all, failed = all + good + bad, failed + bad
  local sum = failed + failed_before
  if bad > 0 and sum >= rules.failures and sum >= rules.share * (all + all_before) then
    open_breaker(key, rules, known[3], now)
  else
    redis.call('HSET', key, 'breaker:window', window, 'breaker:all', all, 'breaker:bad', failed, 'breaker:all-before', all_before, 'breaker:bad-before', failed_before)
  end
end
