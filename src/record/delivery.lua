--[[
  Shared by every script that changes a delivery; included, never run.

  A delivery is the JSON in field d:<subscriber> of its event:
    s state   h event hold   g generation   n attempts   b budget used
    q hold clock when queued   t next attempt at   c last status code
    e last error   d delivered at   r replay id   w webhook id
  The event counts its open and failed deliveries in `open` and `failed`, so
  that nobody has to look at all of them.
]]
local OPEN = { queued = true, retrying = true, held = true }

local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function now_ms()
  return math.floor(now_us() / 1000)
end

-- The index that a state keeps its deliveries in; nil for states that have none.
local function index_of(prefix, subscriber, state)
  if state == 'queued' or state == 'retrying' then return prefix .. 'open:' .. subscriber end
  if state == 'failed' then return prefix .. 'failed:' .. subscriber end
  if state == 'held' then return prefix .. 'held:' .. subscriber end
  return nil
end

-- A subscriber's clock, which stands still while it is on hold; milliseconds.
local function hold_clock(prefix, subscriber, now)
  local held = redis.call('HMGET', prefix .. 'subscriber:' .. subscriber, 'heldSince', 'heldTotal')
  local since = tonumber(held[1] or nil)
  local total = tonumber(held[2] or nil) or 0
  return now - total - (since and (now - since) or 0)
end

local function count(event, field, before, after)
  if before ~= after then redis.call('HINCRBY', event, field, after and 1 or -1) end
end

-- Stores a delivery; `before` is the state it had, or false when it is new.
local function put_delivery(prefix, id, sequence, subscriber, before, delivery)
  local event = prefix .. 'event:' .. id
  redis.call('HSET', event, 'd:' .. subscriber, cjson.encode(delivery))
  local from = before and index_of(prefix, subscriber, before) or nil
  local to = index_of(prefix, subscriber, delivery.s)
  if from ~= to then
    if from then redis.call('ZREM', from, id) end
    if before == 'failed' then redis.call('ZREM', prefix .. 'corrupt:' .. subscriber, id) end
    if to then redis.call('ZADD', to, sequence, id) end
  end
  count(event, 'open', before and OPEN[before] or false, OPEN[delivery.s] or false)
  count(event, 'failed', before == 'failed', delivery.s == 'failed')
end

-- Counts for a replay, unless it has been forgotten.
local function count_replay(prefix, replay, field)
  local key = prefix .. 'replay:' .. replay
  if redis.call('EXISTS', key) == 1 then redis.call('HINCRBY', key, field, 1) end
end

-- Starts the retention of an event that has nothing open, and stops it for one that has.
local function settle(prefix, id, now)
  local counts = redis.call('HMGET', prefix .. 'event:' .. id, 'open', 'failed')
  local ended, ended_failed = prefix .. 'ended', prefix .. 'ended-failed'
  if (tonumber(counts[1] or nil) or 0) > 0 then
    redis.call('ZREM', ended, id)
    redis.call('ZREM', ended_failed, id)
  elseif (tonumber(counts[2] or nil) or 0) > 0 then
    redis.call('ZREM', ended, id)
    redis.call('ZADD', ended_failed, now, id)
  else
    redis.call('ZREM', ended_failed, id)
    redis.call('ZADD', ended, now, id)
  end
end
