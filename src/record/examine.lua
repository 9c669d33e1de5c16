--[[
  Looks at events, the oldest first, for what cannot be read. A delivery like that fails; one that is owed and whose event
  lacks what is to be sent, too. What can be told from elsewhere is written anew.

  KEYS  1 events
  ARGV  1 prefix  2 cursor: only events with a sequence above it  3 how many to look at, at most
  Returns  {next cursor, or "" at the end, then for each that was found: event id, and the subscriber whose delivery failed
           now or "" when something else of the event cannot be read}
]]
--- @include delivery.lua
--- @include corrupt.lua
local prefix, count = ARGV[1], tonumber(ARGV[3])
local now = now_ms()
local page = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, count)
local found = { #page / 2 < count and '' or page[#page] }

-- Attempts are long texts, fifty of each delivery: after so many bytes of them the step ends.
local MOST_BYTES = 200000
local bytes = 0

-- A full Redis refuses a script's first write only, and not this one: that something fails makes room.
redis.call('HDEL', prefix .. 'stats', 'x')

local function tell(id, subscriber)
  found[#found + 1], found[#found + 2] = id, subscriber
end

local function can_be_read(lines)
  bytes = bytes + #(lines or '')
  for line in string.gmatch(lines or '', '[^\n]+') do
    if not pcall(cjson.decode, line) then return false end
  end
  return true
end

local function examine(id)
  local event = prefix .. 'event:' .. id
  local row = redis.call('HMGET', event, 'task', 'at', 'rev', 'status', 'seq', 'open', 'failed', 'subs')
  local can_be_sent = row[1] and is_whole(row[2]) and is_whole(row[3]) and redis.call('EXISTS', prefix .. 'body:' .. id) == 1
  local is_sound = can_be_sent and string.match(row[4] or '', '^%-?%d+$') and is_whole(row[5]) and is_whole(row[6]) and is_whole(row[7]) and row[8]
  if not is_sound and not repair_event(prefix, id) then return tell(id, '') end
  for _, subscriber in ipairs(subscribers_of(event, row[8])) do
    local stored = redis.call('HMGET', event, 'd:' .. subscriber, 'a:' .. subscriber)
    local delivery = read_delivery(stored[1])
    if not delivery or (not can_be_sent and OPEN[delivery.s]) then
      make_failed(prefix, id, subscriber, delivery and delivery.g or generation_in(stored[1]), now)
      tell(id, subscriber)
    end
    is_sound = is_sound and can_be_read(stored[2])
  end
  if not is_sound then tell(id, '') end
end

for i = 1, #page, 2 do
  examine(page[i])
  if bytes > MOST_BYTES and i + 2 < #page then
    found[1] = page[i + 1]
    break
  end
end
return found
