--[[
  Accepts one arrival, or finds that it is a repeat. Runs inside a MULTI with
  the jobs of the event; the one place where first, repeat, revision, late and
  conflict are decided.

  KEYS  1 task  2 event  3 body  4 events  5 sequence  6 stats
  ARGV  1 prefix             "{relay}:"
        2 event id           used only when this is no repeat
        3 digest of the content
        4 status
        5 taskId, type, businessId and so on: JSON object of the event's plain fields
        6 body
        7 dedupe window in milliseconds
        8 "hold" or "forward" other content under the same task and status
        9 "keep" or "forward" a status 0 after a final one
        10 flags of the arrival, comma separated
        11… the subscribers it matches
  Returns  {"duplicate", id of the first one}
           {"accepted", id, revision, flags}; the same again when it is sent twice

  A script that fails half-way keeps what it wrote: so everything that can fail
  comes before the first write.
]]
--- @include ../record/delivery.lua
local task, event, events = KEYS[1], KEYS[2], KEYS[4]
local prefix, id, digest, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local us = now_us()
local now = math.floor(us / 1000)
local plain = cjson.decode(ARGV[5])

local claim_field = 'c:' .. status .. ':' .. digest
local claim = redis.call('HGET', task, claim_field)
if claim then
  local first, at = string.match(claim, '^(%S+) (%d+)$')
  if first == id then
    local made = redis.call('HMGET', event, 'rev', 'flags')
    return { 'accepted', id, tonumber(made[1]), made[2] }
  end
  if now - tonumber(at) < tonumber(ARGV[7]) then
    if redis.call('EXISTS', prefix .. 'event:' .. first) == 1 then
      redis.call('HINCRBY', prefix .. 'event:' .. first, 'dup', 1)
    end
    redis.call('HINCRBY', KEYS[6], 'duplicates', 1)
    return { 'duplicate', first }
  end
  -- The window is over: the claim is taken over, and the task still knows its former event.
  if redis.call('EXISTS', prefix .. 'event:' .. first) == 1 then redis.call('HSET', task, 'e:' .. first, '') end
end

-- Strictly rising, even when the clock is set back.
local sequence = math.max(us, tonumber(redis.call('GET', KEYS[5]) or 0) + 1)
local sequence_text = string.format('%.0f', sequence)
redis.call('SET', KEYS[5], sequence_text)

local revision = redis.call('HINCRBY', task, 'r:' .. status, 1)
local final = status ~= '0' and status ~= '-1'
local seen = redis.call('HGET', task, 'finals') or ''
local known = string.find(',' .. seen .. ',', ',' .. status .. ',', 1, true)
local late = status == '0' and seen ~= ''
local conflict = final and seen ~= '' and not (known and not string.find(seen, ',', 1, true))
if final and not known then
  redis.call('HSET', task, 'finals', seen == '' and status or (seen .. ',' .. status))
end

local flags = {}
for flag in string.gmatch(ARGV[10], '[^,]+') do flags[#flags + 1] = flag end
if late then flags[#flags + 1] = 'late' end
if conflict then flags[#flags + 1] = 'conflict' end

redis.call('HSET', task, claim_field, id .. ' ' .. string.format('%.0f', now))
redis.call('PERSIST', task)
redis.call('ZADD', events, sequence_text, id)
redis.call('SET', KEYS[3], ARGV[6])

local subscribers = {}
if not (late and ARGV[9] == 'keep') then
  for i = 11, #ARGV do subscribers[#subscribers + 1] = ARGV[i] end
end
local hold = revision > 1 and ARGV[8] == 'hold'
local fields = {
  'status', status, 'digest', digest, 'seq', sequence_text, 'rev', revision,
  'flags', table.concat(flags, ','), 'dup', 0, 'open', #subscribers, 'failed', 0, 'subs', table.concat(subscribers, ',')
}
local function field(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
for name, value in pairs(plain) do field(name, value) end
for _, subscriber in ipairs(subscribers) do
  local delivery = { s = 'queued', g = 1, n = 0, b = 0, q = hold_clock(prefix, subscriber, now), t = now }
  if hold then delivery.s, delivery.h, delivery.t = 'held', 'conflict', nil end
  field('d:' .. subscriber, cjson.encode(delivery))
  redis.call('ZADD', index_of(prefix, subscriber, delivery.s), sequence_text, id)
end
redis.call('HSET', event, unpack(fields))

if #subscribers > 0 then
  redis.call('SADD', prefix .. 'subscribers', unpack(subscribers))
else
  settle(prefix, id, now)
end
redis.call('HINCRBY', KEYS[6], 'accepted', 1)
return { 'accepted', id, revision, table.concat(flags, ',') }
