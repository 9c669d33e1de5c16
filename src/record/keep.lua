--[[
  Keeps a text for a while, also while Redis is full.

  KEYS  1 where
  ARGV  1 text  2 for how long, milliseconds  3 "absent" to do so only when nothing is there, else "always"
  Returns  1, or 0 when something was there
]]
-- A full Redis refuses a script's first write only, and not this one: an order that makes room must be taken.
redis.call('DEL', KEYS[1] .. ':x')
if ARGV[3] == 'absent' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
