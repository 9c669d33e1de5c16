--[[
  Keeps one refused callback, and removes older ones that exceed the budget.

  KEYS[1]  ZSET   ids by arrival, milliseconds, of one budget
  KEYS[2]  HASH   bytes by id, and `total`, of the same budget
  KEYS[3]  HASH   the new entry

  ARGV[1]  id
  ARGV[2]  arrival, epoch milliseconds
  ARGV[3]  retention, milliseconds, >= 1
  ARGV[4]  maximum entries, >= 1
  ARGV[5]  maximum bytes of bodies, >= those of the new one
  ARGV[6]  prefix of the keys of the older entries; their ids follow
  ARGV[7]  bytes of the body
  ARGV[8…] fields and values of the entry

  Returns how many older entries were removed, for space or because of their age.
]]
local index, sizes, entry = KEYS[1], KEYS[2], KEYS[3]
local id, arrival, retention = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local max_entries, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local entry_prefix, size = ARGV[6], tonumber(ARGV[7])

local gone = 0
local total = tonumber(redis.call('HGET', sizes, 'total') or 0)

local function forget (old)
  total = total - tonumber(redis.call('HGET', sizes, old) or 0)
  redis.call('ZREM', index, old)
  redis.call('HDEL', sizes, old)
  redis.call('DEL', entry_prefix .. old)
  gone = gone + 1
end

for _, old in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', string.format('%.0f', arrival - retention))) do
  forget(old)
end
while redis.call('ZCARD', index) > 0
  and (redis.call('ZCARD', index) >= max_entries or total + size > max_bytes) do
  forget(redis.call('ZRANGE', index, 0, 0)[1])
end

redis.call('HSET', entry, unpack(ARGV, 8))
redis.call('ZADD', index, arrival, id)
redis.call('HSET', sizes, id, size, 'total', string.format('%.0f', total + size))
-- the newest expires last, and the lists with it
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, retention) end
return gone
