--[[
  Notes how far a replay has come. Runs in the same MULTI as the batch itself,
  so that a crash repeats no batch and skips none.

  KEYS  1 replay
  ARGV  1 cursor to go on with
  Returns  1, or 0 when the replay is not running any more
]]
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'cursor', ARGV[1])
return 1
