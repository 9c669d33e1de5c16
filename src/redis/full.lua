--[[
  Redis does not get full through us: what takes something new stops a little
  before, so that there is room for whatever is owed. Included, never run.
]]
--- @include memory.lua
local FULL_AT = 0.95

-- What a script that takes something new answers; nil while there is room, or when it is not known.
local function refusal_when_full()
  local used, most = read_memory()
  if not used or used <= most * FULL_AT then return nil end
  return redis.error_reply('OOM more than 95 % of maxmemory is used, and the rest is for what is owed')
end
