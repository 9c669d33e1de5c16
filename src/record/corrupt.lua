--[[
  What is stored of a delivery and cannot be read; included after delivery.lua,
  never run. It fails once, with the reason `corrupt`, where an operator sees it
  and can replay it.
]]
local KNOWN_STATES = { queued = true, retrying = true, held = true, delivered = true, failed = true, discarded = true }

-- The delivery; nil when it cannot be read.
local function read_delivery(json)
  if not json then return nil end
  local fine, delivery = pcall(cjson.decode, json)
  if not fine or type(delivery) ~= 'table' or not KNOWN_STATES[delivery.s] then return nil end
  local g, n, b, q, t = type(delivery.g), type(delivery.n), type(delivery.b), type(delivery.q), type(delivery.t)
  return g == 'number' and n == 'number' and b == 'number' and q == 'number' and (t == 'number' or t == 'nil') and delivery or nil
end

-- Makes it a failed one. Returns whether it was owed.
local function fail_corrupt(prefix, id, subscriber, generation, now)
  local event = prefix .. 'event:' .. id
  local was_owed = redis.call('ZREM', prefix .. 'open:' .. subscriber, id) == 1
  local known = redis.call('HMGET', event, 'seq', 'open', 'failed', 'd:' .. subscriber)
  if not was_owed or not known[1] then return false end
  local before = read_delivery(known[4]) or { n = 0 }
  redis.call('HSET', event, 'd:' .. subscriber, cjson.encode({ s = 'failed', g = generation, n = before.n, b = 0, q = now, e = 'corrupt' }),
    'open', math.max(0, (tonumber(known[2] or nil) or 1) - 1), 'failed', (tonumber(known[3] or nil) or 0) + 1)
  redis.call('ZADD', prefix .. 'failed:' .. subscriber, tonumber(known[1]) or now * 1000, id)
  redis.call('HINCRBY', prefix .. 'subscriber:' .. subscriber, 'failed', 1)
  redis.call('HINCRBY', prefix .. 'stats', 'failed', 1)
  settle(prefix, id, now)
  return true
end
