--[[
  Puts deliveries back in the queue, each with its job: a replay's batch, or the
  release of held ones. A delivery that changed since it was selected is left
  alone; one that has no record yet (a backfill) is made.

  A replay's progress is noted here and nowhere else, so that a crash repeats
  no batch and skips none.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          replay      id, or "" when this is a release
          cursor      where the replay goes on: a sequence, or ""
          templates   by subscriber, see ../queue/jobs.lua
          deliveries  list of {event id, subscriber, the generation it shall get
                      (1: it has no delivery yet), a fresh webhook id or ""}
  Returns  1 packed: how many were put back
]]
--- @include ../record/delivery.lua
--- @include ../queue/bullmq/jobs.lua
--- @include ../record/clear-hold.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, replay = input.prefix, input.replay
local now = now_ms()
-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('HDEL', prefix .. 'stats', 'x')
local queued = 0

-- A replay that was cancelled meanwhile puts nothing back.
if replay ~= '' and redis.call('HGET', prefix .. 'replay:' .. replay, 'state') ~= 'running' then
  return { cmsgpack.pack(0) }
end

-- Whoever replays wants to see it sent: a wait that the subscriber asked for is over.
local let_go_already = {}
local function let_go(subscriber)
  if let_go_already[subscriber] then return end
  let_go_already[subscriber] = true
  local key = prefix .. 'subscriber:' .. subscriber
  redis.call('HDEL', key, 'throttle:until')
  clear_hold(key, 'throttle', now)
end

local function put_back(id, subscriber, generation, webhook_id)
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'd:' .. subscriber, 'seq', 'subs')
  if not stored[2] then return end
  local delivery = stored[1] and cjson.decode(stored[1]) or { g = 0, n = 0 }
  local before = delivery.s
  if before == 'queued' then return end
  if delivery.g + 1 ~= generation and not (before == 'retrying' and delivery.g == generation) then return end
  if not stored[1] then
    redis.call('HSET', event, 'subs', stored[3] == '' and subscriber or (stored[3] .. ',' .. subscriber))
    redis.call('SADD', prefix .. 'subscribers', subscriber)
  end
  -- A retrying one keeps its generation and its job, which is made due: by no clock, since the gateway's may differ from this one.
  delivery.s = before == 'retrying' and 'retrying' or 'queued'
  delivery.g, delivery.b, delivery.t = generation, 0, now
  if before == 'retrying' then delivery.t = nil end
  delivery.q = hold_clock(prefix, subscriber, now)
  delivery.h, delivery.d = nil, nil
  delivery.r, delivery.w = replay ~= '' and replay or nil, webhook_id ~= '' and webhook_id or nil
  put_delivery(prefix, id, stored[2], subscriber, before or false, delivery)
  settle(prefix, id, now)
  add_job(input.templates[subscriber], id, generation, now)
  queued = queued + 1
  if replay ~= '' then let_go(subscriber) end
end

for _, delivery in ipairs(input.deliveries) do put_back(unpack(delivery)) end
if replay ~= '' then
  redis.call('HINCRBY', prefix .. 'replay:' .. replay, 'queued', queued)
  -- Never back up: a runner that stalled may come after the one that took over.
  local cursor = tonumber(redis.call('HGET', prefix .. 'replay:' .. replay, 'cursor') or nil)
  if input.cursor ~= '' and (not cursor or input.cursor < cursor) then
    redis.call('HSET', prefix .. 'replay:' .. replay, 'cursor', string.format('%.0f', input.cursor))
  end
end
return { cmsgpack.pack(queued) }
