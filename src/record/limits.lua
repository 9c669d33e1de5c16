--[[
  What may be sent to subscribers now: holds, concurrency and rate limit. Called as
  a function, once for many takes: its reads and counts apply to all of them.

  A rate limit is a sliding window, counted in buckets: at most `max` deliveries
  begin in any period, and in a short period a tenth in each tenth. Only sent
  deliveries are stored, so a changed limit applies at once.

  ARGV  1 prefix  "{relay}:"
          now     milliseconds
  Returns  a table of functions
    wait(subscriber, limits)  nil if a delivery may begin; else how long to wait, milliseconds, 0 while it is on hold.
                              `limits`: {concurrency, max or nil, per in milliseconds}
    concurrency(subscriber, limits)  how many may be in flight
    took(subscriber, limits)  counts one that begins
    save()                    writes the counts
]]
--- @constant HOLD_FIELDS
local prefix, now = ARGV[1].prefix, ARGV[1].now
-- Buckets per period: with more buckets, free capacity is noticed sooner.
local BUCKETS = 50
-- The period during the trial of a breaker.
local TRIAL_PER = 1000
-- Short periods are used evenly: otherwise a burst that is slowed down on its way would meet the next one.
local PACED_UP_TO, PACES = 10000, 10

local windows, standings = {}, {}

-- Deliveries sent within a period. A bucket is named by its end; an end in the impossible future comes from a clock that was set back.
local function window(key, max, per)
  if windows[key] then return windows[key] end
  local size = math.max(1, math.ceil(per / BUCKETS))
  local one = { key = key, max = max, per = per, size = size, sum = 0, added = 0, buckets = {}, over = {} }
  local stored = redis.call('HGETALL', key)
  for i = 1, #stored, 2 do
    local ends, count = tonumber(stored[i]), tonumber(stored[i + 1])
    if ends + per > now and ends <= now + math.max(size, per) then
      one.buckets[#one.buckets + 1] = { ends, count }
      one.sum = one.sum + count
    else
      one.over[#one.over + 1] = stored[i]
    end
  end
  table.sort(one.buckets, function(a, b) return a[1] < b[1] end)
  windows[key] = one
  return one
end

local function room_in(one)
  local left = one.sum + one.added
  if left < one.max then return nil end
  for _, bucket in ipairs(one.buckets) do
    left = left - bucket[2]
    if left < one.max then return bucket[1] + one.per - now end
  end
  return one.size + one.per
end

local function standing(subscriber)
  local known = standings[subscriber]
  if known then return known end
  local key = prefix .. 'subscriber:' .. subscriber
  known = {}
  local holds = redis.call('HMGET', key, unpack(HOLD_FIELDS))
  local facts = redis.call('HMGET', key, 'breaker', 'breaker:rate', 'throttle:until')
  local trial, ends = facts, tonumber(facts[3] or nil)
  for at, field in ipairs(HOLD_FIELDS) do
    if holds[at] and field ~= 'hold:throttle' then known.wait = 0 end
    if holds[at] and field == 'hold:throttle' and ends and ends > now then known.wait = known.wait or (ends - now) end
  end
  if trial[1] == 'half-open' then known.trial, known.alone = 1, true end
  if trial[1] == 'closing' then known.trial = tonumber(trial[2]) end
  standings[subscriber] = known
  return known
end

local function windows_of(subscriber, limits)
  local all = {}
  if limits.max then
    all[1] = window(prefix .. 'sent:' .. subscriber, limits.max, limits.per)
    if limits.per <= PACED_UP_TO then
      all[2] = window(prefix .. 'sent-pace:' .. subscriber, math.ceil(limits.max / PACES), math.ceil(limits.per / PACES))
    end
  end
  local trial = standing(subscriber).trial
  if trial then all[#all + 1] = window(prefix .. 'sent-trial:' .. subscriber, trial, TRIAL_PER) end
  return all
end

return {
  wait = function(subscriber, limits)
    if standing(subscriber).wait then return standing(subscriber).wait end
    local longest
    for _, one in ipairs(windows_of(subscriber, limits)) do
      local ms = room_in(one)
      if ms and ms > (longest or 0) then longest = ms end
    end
    return longest
  end,
  concurrency = function(subscriber, limits)
    return standing(subscriber).alone and 1 or limits.concurrency
  end,
  took = function(subscriber, limits)
    for _, one in ipairs(windows_of(subscriber, limits)) do one.added = one.added + 1 end
  end,
  save = function()
    for key, one in pairs(windows) do
      if #one.over > 0 then redis.call('HDEL', key, unpack(one.over)) end
      if one.added > 0 then
        redis.call('HINCRBY', key, string.format('%.0f', (math.floor(now / one.size) + 1) * one.size), one.added)
        redis.call('PEXPIRE', key, one.per + one.size)
      end
    end
  end
}
