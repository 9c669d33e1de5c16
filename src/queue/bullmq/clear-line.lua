--[[
  Empties the waiting line of a subscriber that is owed nothing. After a discard only the ids of the jobs are left there,
  and no worker takes them while the subscriber is on hold or has no worker.

  KEYS  1 open deliveries of the subscriber  2 its waiting jobs
  ARGV  1 prefix of its jobs  2 how many at most
  Returns  how many were dropped; fewer than that at the end, and none while anything is open
]]
if redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
local ids = redis.call('RPOP', KEYS[2], ARGV[2]) or {}
for _, id in ipairs(ids) do redis.call('DEL', ARGV[1] .. id) end
return #ids
