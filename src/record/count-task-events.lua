--[[
  What a task knows of its events and what its index has of them, at one moment. A script, because a full Redis takes no
  MULTI, not even of commands that read.

  KEYS  1 task  2 index of its events
  Returns  {fields of the task, how many of them there were when the index was last written, events in the index}
]]
return { redis.call('HLEN', KEYS[1]), tonumber(redis.call('HGET', KEYS[1], 'indexed') or 0), redis.call('ZCARD', KEYS[2]) }
