--[[
  Forgets a subscriber that is configured no more, when nothing of it is left: no delivery that is owed or failed, no job, and no
  event that it is named in.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          subscriber
          queue       keys of its queue
          base        what they begin with
          cursor      no event up to this sequence names it
          count       how many events to look at
  Returns  1 packed: {1 when it is forgotten, else 0; the cursor for the next time}
]]
local input = cmsgpack.unpack(ARGV[1])
local prefix, name = input.prefix, input.subscriber
local key = prefix .. 'subscriber:' .. name

local function not_yet(cursor)
  return { cmsgpack.pack({ 0, cursor }) }
end

if redis.call('HEXISTS', key, 'hold:removed') == 0 then return not_yet(input.cursor) end
for _, index in ipairs({ 'open:', 'failed:', 'held:' }) do
  if redis.call('EXISTS', prefix .. index .. name) == 1 then return not_yet(input.cursor) end
end
if redis.call('EXISTS', input.base .. 'wait') == 1 then return not_yet(input.cursor) end
-- Jobs for nothing that nobody takes any more, and those of a worker that died; one that is under way keeps its lock.
local late = redis.call('ZPOPMIN', input.base .. 'delayed', input.count)
for i = 1, #late, 2 do redis.call('DEL', input.base .. late[i]) end
if #late > 0 then return not_yet(input.cursor) end
local active = redis.call('LRANGE', input.base .. 'active', 0, -1)
for _, job in ipairs(active) do
  if redis.call('EXISTS', input.base .. job .. ':lock') == 1 then return not_yet(input.cursor) end
end

local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. input.cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, input.count)
local seen = input.cursor
for i = 1, #found, 2 do
  if redis.call('HEXISTS', prefix .. 'event:' .. found[i], 'd:' .. name) == 1 then return not_yet(seen) end
  seen = found[i + 1]
end
if #found / 2 == input.count then return not_yet(seen) end

for _, job in ipairs(active) do redis.call('DEL', input.base .. job) end
redis.call('DEL', key, unpack(input.queue))
for _, sent in ipairs({ 'sent:', 'sent-pace:', 'sent-trial:' }) do redis.call('DEL', prefix .. sent .. name) end
redis.call('SREM', prefix .. 'subscribers', name)
return { cmsgpack.pack({ 1, seen }) }
