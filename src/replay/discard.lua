--[[
  Gives deliveries up by an operator's order. A delivery that changed since it was selected is left alone, unless it still
  fits: one that waited for its first attempt may wait for its second. Their jobs are forgotten, and those in a line are
  dropped when their turn comes.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          queues      prefix of the queues
          order       id, or "" when this is no order
          cursor      where the order goes on: a sequence, or ""
          states      {state: true}, which fit
          deliveries  list of {event id, subscriber, state and generation that it was found in}
  Returns  1 packed: how many were discarded
]]
--- @include ../record/delivery.lua
--- @include ../record/corrupt.lua
--- @include ../queue/bullmq/forget-job.lua
--- @include progress.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, order = input.prefix, input.order
local now = now_ms()
local discarded = 0

if not may_go_on(prefix, order) then return { cmsgpack.pack(0) } end

-- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
redis.call('HDEL', prefix .. 'stats', 'x')

local function discard(id, subscriber, state, generation)
  local delivery, sequence = read_to_change(prefix, id, subscriber)
  if not delivery or delivery.g ~= generation then return end
  local before = delivery.s
  if before == 'delivered' or before == 'discarded' or (before ~= state and not input.states[before]) then return end
  delivery.s, delivery.h, delivery.t = 'discarded', nil, nil
  put_delivery(prefix, id, sequence, subscriber, before, delivery)
  settle(prefix, id, now)
  if before ~= 'failed' then forget_job(input.queues, subscriber, id, generation) end
  if delivery.r then count_replay(prefix, delivery.r, 'discarded') end
  discarded = discarded + 1
end

for _, delivery in ipairs(input.deliveries) do discard(unpack(delivery)) end
note_progress(prefix, order, 'discarded', discarded, input.cursor)
return { cmsgpack.pack(discarded) }
