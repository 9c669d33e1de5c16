--[[
  We never fill Redis ourselves: steps that add something new stop a little before,
  so that room is left for owed deliveries. Included, never run.
]]
--- @include memory.lua
local FULL_AT = 0.95
local FULL = 'OOM more than 95 % of maxmemory is used, and the rest is for what is owed'

-- Whether nothing new may be added; false while the memory is unknown. Stays the same for this script.
local full
local function is_full()
  if full == nil then
    local used, most = read_memory()
    full = used ~= nil and used > most * FULL_AT
  end
  return full
end
