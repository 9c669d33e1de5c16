--[[
  Tells how full Redis is.

  KEYS  1 any key of ours: it names the node
  Returns  {bytes used, bytes that may be used}, or {} when that is not known
]]
--- @include memory.lua
local used, most = read_memory()
return used and { used, most } or {}
