--[[
  Deletes events by an operator's order, with what is still owed of them: the record, the bodies, the indexes, the jobs. What
  their tasks knew of them becomes claims, in which nothing of what arrived can be read: a repeat stays a repeat.

  KEYS  1 events
  ARGV  1 packed:
          prefix   "{relay}:"
          queues   prefix of the queues
          order    id
          cursor   where the order goes on: a sequence
          window   of deduplication, milliseconds
          events   list of ids
  Returns  1 packed: how many were deleted
]]
--- @include ../record/delivery.lua
--- @include ../record/corrupt.lua
--- @include ../record/delete-event.lua
--- @include ../queue/bullmq/forget-job.lua
--- @include progress.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, order = input.prefix, input.order
local purged = 0

if not may_go_on(prefix, order) then return { cmsgpack.pack(0) } end

-- A full Redis refuses a script's first write only, and not this one: what frees memory must go on.
redis.call('HDEL', prefix .. 'stats', 'x')

local INDEXES = { 'open:', 'held:', 'failed:', 'corrupt:' }

local function end_delivery(id, subscriber)
  local json = redis.call('HGET', prefix .. 'event:' .. id, 'd:' .. subscriber)
  local delivery = read_delivery(json)
  for _, index in ipairs(INDEXES) do redis.call('ZREM', prefix .. index .. subscriber, id) end
  forget_job(input.queues, subscriber, id, delivery and delivery.g or generation_in(json))
  if delivery and OPEN[delivery.s] and delivery.r then count_replay(prefix, delivery.r, 'discarded') end
end

local function purge(id)
  local event = prefix .. 'event:' .. id
  if redis.call('EXISTS', event) == 0 then return end
  for _, subscriber in ipairs(subscribers_of(event, redis.call('HGET', event, 'subs'))) do end_delivery(id, subscriber) end
  redis.call('HSET', event, 'open', 0, 'failed', 0)
  redis.call('ZREM', prefix .. 'ended-failed', id)
  if delete_event(prefix, prefix .. 'ended', id) then purged = purged + 1 end
end

for _, id in ipairs(input.events) do purge(id) end
forget_events(prefix, input.window, now_ms())
note_progress(prefix, order, 'purged', purged, input.cursor)
return { cmsgpack.pack(purged) }
