--[[
  Counts what a subscriber is owed and what stands in the lines of its queue,
  at one moment: one after the other they would differ by what has been
  delivered in between. A script, because a full Redis takes no MULTI, not even of
  commands that read.

  KEYS  1 open deliveries of the subscriber  2 jobs that wait  3 active jobs  4 delayed jobs
  Returns  {open, waiting, active, delayed}
]]
return { redis.call('ZCARD', KEYS[1]), redis.call('LLEN', KEYS[2]), redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[4]) }
