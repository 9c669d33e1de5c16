--[[
  Gives deliveries up by an operator's order. Their jobs stay where they
  are: whoever takes one sees that it is for nothing.

  KEYS  1 events
  ARGV  1 prefix  2… two for each: event id, subscriber
  Returns  how many were discarded
]]
--- @include delivery.lua
local prefix = ARGV[1]
local now = now_ms()
-- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
redis.call('HDEL', prefix .. 'stats', 'x')
local discarded = 0
for i = 2, #ARGV, 2 do
  local id, subscriber = ARGV[i], ARGV[i + 1]
  local stored = redis.call('HMGET', prefix .. 'event:' .. id, 'd:' .. subscriber, 'seq')
  local delivery = stored[1] and cjson.decode(stored[1])
  if delivery and delivery.s ~= 'delivered' and delivery.s ~= 'discarded' then
    local before = delivery.s
    delivery.s, delivery.h, delivery.t = 'discarded', nil, nil
    put_delivery(prefix, id, stored[2], subscriber, before, delivery)
    settle(prefix, id, now)
    if delivery.r then count_replay(prefix, delivery.r, 'discarded') end
    discarded = discarded + 1
  end
end
return discarded
