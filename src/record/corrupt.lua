--[[
  What is stored and cannot be read; included after delivery.lua, never run. A
  delivery like that fails once, with the reason `corrupt`, where an operator
  sees it and can replay it; the index `corrupt:<subscriber>` has it until it is
  replayed, discarded or deleted. What an event's row says of its place and of
  its deliveries can be told from the indexes, and is written anew.
]]
--- @include deliveries-of.lua
local KNOWN_STATES = { queued = true, retrying = true, held = true, delivered = true, failed = true, discarded = true }

-- The delivery; nil when it cannot be read. `fields.ts` reads by the same rule.
local function read_delivery(json)
  if not json then return nil end
  local fine, delivery = pcall(cjson.decode, json)
  if not fine or type(delivery) ~= 'table' or not KNOWN_STATES[delivery.s] then return nil end
  local g, n, b, q, t = type(delivery.g), type(delivery.n), type(delivery.b), type(delivery.q), type(delivery.t)
  return g == 'number' and n == 'number' and b == 'number' and q == 'number' and (t == 'number' or t == 'nil') and delivery or nil
end

-- The generation of a delivery that cannot be read: that of its job, when so much of its text is left.
local function generation_in(json)
  local generation = tonumber(json and string.match(json, '"g":(%d+)') or nil) or 1
  return generation < 1000000000 and generation or 1
end

local function recount(prefix, id, names)
  local open, failed = counts_of(prefix, id, names)
  redis.call('HSET', prefix .. 'event:' .. id, 'open', open, 'failed', failed)
end

-- Makes an event's row such that its deliveries can be changed. Returns its place in the record; nil when there is no event.
local function repair_event(prefix, id)
  local event = prefix .. 'event:' .. id
  local known = redis.call('HMGET', event, 'seq', 'open', 'failed', 'subs')
  if is_whole(known[1]) and is_whole(known[2]) and is_whole(known[3]) and known[4] then return known[1] end
  if redis.call('EXISTS', event) == 0 then return nil end
  local sequence = is_whole(known[1]) and known[1] or redis.call('ZSCORE', prefix .. 'events', id) or string.format('%.0f', now_us())
  local names = subscribers_of(event, known[4])
  redis.call('HSET', event, 'seq', sequence, 'subs', table.concat(names, ','))
  recount(prefix, id, names)
  return sequence
end

-- The number of the last attempt that is told of.
local function last_number(lines)
  return tonumber(string.match(lines or '', '.*{"n":(%d+),') or nil) or 0
end

-- Makes a delivery a failed one, whatever it was.
local function make_failed(prefix, id, subscriber, generation, now)
  local event = prefix .. 'event:' .. id
  redis.call('ZREM', prefix .. 'open:' .. subscriber, id)
  redis.call('ZREM', prefix .. 'held:' .. subscriber, id)
  local sequence = repair_event(prefix, id)
  if not sequence then return end
  local known = redis.call('HMGET', event, 'd:' .. subscriber, 'a:' .. subscriber, 'subs')
  local before = read_delivery(known[1]) or { n = last_number(known[2]) }
  redis.call('HSET', event, 'd:' .. subscriber, cjson.encode({ s = 'failed', g = generation, n = before.n, b = 0, q = now, e = 'corrupt' }))
  redis.call('ZADD', prefix .. 'failed:' .. subscriber, sequence, id)
  redis.call('ZADD', prefix .. 'corrupt:' .. subscriber, sequence, id)
  if not is_listed(known[3], subscriber) then
    known[3] = known[3] == '' and subscriber or (known[3] .. ',' .. subscriber)
    redis.call('HSET', event, 'subs', known[3])
  end
  recount(prefix, id, subscribers_of(event, known[3]))
  redis.call('HINCRBY', prefix .. 'subscriber:' .. subscriber, 'failed', 1)
  redis.call('HINCRBY', prefix .. 'stats', 'failed', 1)
  redis.call('HINCRBY', prefix .. 'stats', 'corrupt', 1)
  if before.r then count_replay(prefix, before.r, 'failed') end
  settle(prefix, id, now)
end

-- The same for one that is owed. Returns whether it was.
local function fail_corrupt(prefix, id, subscriber, generation, now)
  if not redis.call('ZSCORE', prefix .. 'open:' .. subscriber, id) then return false end
  make_failed(prefix, id, subscriber, generation, now)
  return true
end

-- A delivery that is to be changed, and its event's place in the record: no place when there is no such event, no delivery when
-- the subscriber has none. One that cannot be read has failed by then.
local function read_to_change(prefix, id, subscriber)
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'd:' .. subscriber, 'seq', 'open', 'failed', 'subs')
  local delivery = read_delivery(stored[1])
  local is_sound = is_whole(stored[2]) and is_whole(stored[3]) and is_whole(stored[4]) and stored[5]
  local sequence = is_sound and stored[2] or repair_event(prefix, id)
  if not sequence or delivery then return delivery, sequence end
  if not stored[1] and not is_listed(stored[5], subscriber) then return nil, sequence end
  make_failed(prefix, id, subscriber, generation_in(stored[1]), now_ms())
  return read_delivery(redis.call('HGET', event, 'd:' .. subscriber)), sequence
end
