--[[
  Makes jobs due now that wait for their time. One that waits for nothing is
  put in line all the same: a job that is there twice is sent once.

  KEYS  1 delayed jobs  2 jobs that wait  3 marker of the queue
  ARGV  their ids
  Returns  1
]]
-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('DEL', KEYS[1] .. ':x')
redis.call('ZREM', KEYS[1], unpack(ARGV))
redis.call('LPUSH', KEYS[2], unpack(ARGV))
redis.call('ZADD', KEYS[3], 0, '0')
return 1
