--[[
  How full Redis is, as it decides itself whether to take one more write;
  included, never run.

  A script asks, and not a connection, because a script runs on the node that
  has our keys. Nothing is said of a server without a limit, or of one that
  hides INFO.
]]

-- Bytes used, and bytes that may be used; nothing when either is not known. A few microseconds.
local function read_memory()
  local info = redis.pcall('INFO', 'memory')
  if type(info) ~= 'string' then return end
  local used = tonumber(string.match(info, '\nused_memory:(%d+)') or nil)
  local most = tonumber(string.match(info, '\nmaxmemory:(%d+)') or nil)
  if not used or not most or most == 0 then return end
  -- What Redis leaves out when it compares the two: buffers for its file and its replicas.
  return used - (tonumber(string.match(info, '\nmem_not_counted_for_evict:(%d+)') or nil) or 0), most
end
