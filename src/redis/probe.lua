--[[
  Writes something that nobody needs, where a callback would be taken.

  KEYS  1 probe
  ARGV  1 how long it lives, seconds
  Returns  OK
]]
--- @include full.lua
return refusal_when_full() or redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
