--[[
  Writes a value without meaning, on the node that would take a callback.

  KEYS  1 probe
  ARGV  1 how long it lives, seconds
  Returns  OK
]]
--- @include full.lua
if is_full() then return redis.error_reply(FULL) end
return redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
