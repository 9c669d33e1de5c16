--[[
  Records one attempt and what it means for its delivery, in one step.

  KEYS  1 event  2 subscriber  3 stats
  ARGV  1 prefix  2 event id  3 subscriber  4 generation the attempt was made for
        5 start of the attempt, milliseconds; tells a command sent twice from a second attempt
        6 the attempt as the inside of a JSON object, without its number
        7 "1" when it uses budget
        8 next state: delivered, retrying, failed or unchanged
        9 next attempt at, milliseconds, or ""
        10 status code or ""   11 error or ""   12 "1" when the subscriber is gone
        13 how many attempts are kept
  Returns  the attempt's number; 0 when the event is no more or this was recorded before
]]
--- @include delivery.lua
local event, subscriber_key = KEYS[1], KEYS[2]
local prefix, id, subscriber, state = ARGV[1], ARGV[2], ARGV[3], ARGV[8]
local attempts_field = 'a:' .. subscriber
local stored = redis.call('HMGET', event, 'd:' .. subscriber, attempts_field, 'seq')
if not stored[1] then return 0 end
local delivery = cjson.decode(stored[1])
local lines = stored[2] or ''
-- Quotes inside an attempt are escaped, so only a start can look like this.
if string.find(lines, '"t":' .. ARGV[5] .. ',', 1, true) then return 0 end

-- A full Redis refuses a script's first write only, and not this one: the request was made, so that goes on record.
redis.call('HDEL', event, 'x')

local now = now_ms()
delivery.n = delivery.n + 1
local line = '{"n":' .. delivery.n .. ',' .. ARGV[6] .. '}'
if delivery.n > tonumber(ARGV[13]) then lines = string.match(lines, '\n(.*)$') or '' end
redis.call('HSET', event, attempts_field, lines == '' and line or (lines .. '\n' .. line))

local before = delivery.s
local current = delivery.g == tonumber(ARGV[4]) and (before == 'queued' or before == 'retrying')
if current then
  delivery.c = tonumber(ARGV[10])
  delivery.e = ARGV[11] ~= '' and ARGV[11] or nil
  if ARGV[7] == '1' then delivery.b = delivery.b + 1 end
  if state ~= 'unchanged' then
    delivery.s = state
    delivery.t = tonumber(ARGV[9])
  end
  if state == 'delivered' then delivery.d = now end
end
put_delivery(prefix, id, stored[3], subscriber, before, delivery)

if current and (state == 'delivered' or state == 'failed') then
  redis.call('HINCRBY', subscriber_key, state, 1)
  redis.call('HINCRBY', KEYS[3], state, 1)
  if delivery.r then count_replay(prefix, delivery.r, state) end
  settle(prefix, id, now)
end
if state == 'delivered' then
  redis.call('HSET', subscriber_key, 'lastSuccessAt', now)
elseif ARGV[11] ~= '' then
  redis.call('HSET', subscriber_key, 'lastError', ARGV[11], 'lastErrorAt', now)
end
if ARGV[12] == '1' then
  redis.call('HSETNX', subscriber_key, 'hold:gone', now)
  redis.call('HSETNX', subscriber_key, 'heldSince', now)
end
return delivery.n
