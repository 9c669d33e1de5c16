--[[
  Redis does not get full through us: what takes something new stops a little
  before, so that there is room for whatever is owed. Included, never run.
]]
--- @include memory.lua
local FULL_AT = 0.95
local FULL = 'OOM more than 95 % of maxmemory is used, and the rest is for what is owed'

-- Whether nothing new may be taken; not while it is not known. It stays so for this script.
local full
local function is_full()
  if full == nil then
    local used, most = read_memory()
    full = used ~= nil and used > most * FULL_AT
  end
  return full
end
