--[[
  Puts deliveries back in the queue, each with its job: a replay's batch, or the
  release of held ones. A delivery that changed since it was selected is left
  alone; one that has no record yet (a backfill) is made.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          order       id, or "" when this is no order
          cursor      where the order goes on: a sequence, or ""
          replay      whether the order is a replay, and no release
          templates   by subscriber, see ../queue/bullmq/jobs.lua
          deliveries  list of {event id, subscriber, state and generation that it was found in ("" and 0: it has no
                      delivery yet), a fresh webhook id or ""}
  Returns  1 packed: how many were put back
]]
--- @include ../record/delivery.lua
--- @include ../record/corrupt.lua
--- @include ../queue/bullmq/jobs.lua
--- @include ../record/clear-hold.lua
--- @include progress.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, order = input.prefix, input.order
local now = now_ms()
-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('HDEL', prefix .. 'stats', 'x')
local queued = 0

if not may_go_on(prefix, order) then return { cmsgpack.pack(0) } end

-- Whoever replays wants to see it sent: a wait that the subscriber asked for is over.
local let_go_already = {}
local function let_go(subscriber)
  if let_go_already[subscriber] then return end
  let_go_already[subscriber] = true
  local key = prefix .. 'subscriber:' .. subscriber
  redis.call('HDEL', key, 'throttle:until')
  clear_hold(key, 'throttle', now)
end

local function put_back(id, subscriber, state, generation, webhook_id)
  local event = prefix .. 'event:' .. id
  local found, sequence = read_to_change(prefix, id, subscriber)
  if not sequence then return end
  local delivery = found or { s = '', g = 0, n = 0 }
  if delivery.s ~= state or delivery.g ~= generation or state == 'queued' then return end
  if not found then
    local names = redis.call('HGET', event, 'subs')
    redis.call('HSET', event, 'subs', names == '' and subscriber or (names .. ',' .. subscriber))
    redis.call('SADD', prefix .. 'subscribers', subscriber)
  end
  -- A retrying one keeps its generation and its job, which is made due: by no clock, since the gateway's may differ from this one.
  local retrying = state == 'retrying'
  delivery.s = retrying and 'retrying' or 'queued'
  delivery.g, delivery.b, delivery.t = retrying and generation or (generation + 1), 0, nil
  if not retrying then delivery.t = now end
  delivery.q = hold_clock(prefix, subscriber, now)
  delivery.h, delivery.d = nil, nil
  delivery.r, delivery.w = input.replay and order or nil, webhook_id ~= '' and webhook_id or nil
  put_delivery(prefix, id, sequence, subscriber, found and state, delivery)
  settle(prefix, id, now)
  add_job(input.templates[subscriber], id, delivery.g, now)
  queued = queued + 1
  if input.replay then let_go(subscriber) end
end

for _, delivery in ipairs(input.deliveries) do put_back(unpack(delivery)) end
note_progress(prefix, order, 'queued', queued, input.cursor)
return { cmsgpack.pack(queued) }
