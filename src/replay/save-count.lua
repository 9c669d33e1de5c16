--[[
  Notes one step of the counting of what an order means; a step that somebody else has noted already is none.

  KEYS  1 order
  ARGV  1 where the step began, a sequence  2 how many it found  3 where the next begins, or "" at the end
  Returns  1, or 0 when it was not noted
]]
local before = redis.call('HMGET', KEYS[1], 'state', 'countCursor')
if before[1] ~= 'running' or before[2] ~= ARGV[1] then return 0 end
-- A full Redis refuses a script's first write only, and not this one: to discard makes room.
redis.call('HDEL', KEYS[1], 'countCursor')
local counted = redis.call('HINCRBY', KEYS[1], 'counted', ARGV[2])
if ARGV[3] == '' then
  redis.call('HSET', KEYS[1], 'matched', counted)
else
  redis.call('HSET', KEYS[1], 'countCursor', ARGV[3])
end
return 1
