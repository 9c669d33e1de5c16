--[[
  Returns how full Redis is.

  KEYS  1 any key of ours: it selects the node
  Returns  {bytes used, bytes that may be used}, or {} if unknown
]]
--- @include memory.lua
local used, most = read_memory()
return used and { used, most } or {}
