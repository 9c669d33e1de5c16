--[[
  Fails the oldest of the deliveries that wait for a subscriber, beyond the number that may wait; never one whose attempt is under
  way. Their jobs are forgotten, and leave the end of the line where the oldest stand.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          queues      prefix of the queues
          subscriber
          most        how many may wait
          count       how many to fail at most
  Returns  1 packed: how many failed
]]
--- @include ../record/delivery.lua
--- @include ../record/corrupt.lua
--- @include ../queue/bullmq/forget-job.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, subscriber = input.prefix, input.subscriber
local base = input.queues .. ':' .. subscriber .. ':'
local open, held = prefix .. 'open:' .. subscriber, prefix .. 'held:' .. subscriber
local now = now_ms()

local under_way, busy = {}, 0
for _, job in ipairs(redis.call('LRANGE', base .. 'active', 0, -1)) do
  local id = string.match(job, '^(.+)%-%d+$')
  if id and not under_way[id] and redis.call('ZSCORE', open, id) then
    under_way[id] = true
    busy = busy + 1
  end
end

local beyond = redis.call('ZCARD', open) + redis.call('ZCARD', held) - busy - input.most
local wanted = math.min(beyond, input.count)
if wanted <= 0 then return { cmsgpack.pack(0) } end
-- A full Redis refuses a script's first write only, and not this one: what is owed no more makes room.
redis.call('HDEL', prefix .. 'stats', 'x')

local oldest = {}
for _, index in ipairs({ open, held }) do
  local found = redis.call('ZRANGE', index, 0, wanted + busy - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if not under_way[found[i]] then oldest[#oldest + 1] = { id = found[i], sequence = tonumber(found[i + 1]), index = index } end
  end
end
table.sort(oldest, function(a, b) return a.sequence < b.sequence end)

local failed = 0
-- Whether it waits no more.
local function fail(id, index)
  local stored = redis.call('HMGET', prefix .. 'event:' .. id, 'd:' .. subscriber, 'seq')
  local delivery = read_delivery(stored[1])
  if stored[2] and not delivery then
    return fail_corrupt(prefix, id, subscriber, tonumber(string.match(stored[1] or '', '"g":(%d+)') or 1), now)
  end
  if not stored[2] or index_of(prefix, subscriber, delivery.s) ~= index then
    redis.call('ZREM', index, id)
    return true
  end
  local before = delivery.s
  delivery.s, delivery.h, delivery.t, delivery.e = 'failed', nil, nil, 'backlog'
  put_delivery(prefix, id, stored[2], subscriber, before, delivery)
  settle(prefix, id, now)
  forget_job(input.queues, subscriber, id, delivery.g)
  if delivery.r then count_replay(prefix, delivery.r, 'failed') end
  failed = failed + 1
  return true
end

local left = wanted
for _, one in ipairs(oldest) do
  if left > 0 and fail(one.id, one.index) then left = left - 1 end
end
if failed > 0 then
  redis.call('HINCRBY', prefix .. 'subscriber:' .. subscriber, 'failed', failed)
  redis.call('HINCRBY', prefix .. 'stats', 'failed', failed)
end

-- Their ids would wait for a turn that may never come while the subscriber is on hold.
for _ = 1, 2 * input.count do
  local job = redis.call('LINDEX', base .. 'wait', -1)
  if not job or redis.call('EXISTS', base .. job) == 1 then break end
  redis.call('RPOP', base .. 'wait')
end
return { cmsgpack.pack(failed) }
