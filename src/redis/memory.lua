--[[
  How full Redis is, by the measure with which it decides about one more write;
  included, never run.

  A script asks, not a connection, because a script runs on the node that has our
  keys. Without a limit, or with INFO hidden, there is no answer.
]]

-- Bytes used, and bytes that may be used; nothing if either is unknown. Takes a few microseconds.
local function read_memory()
  local info = redis.pcall('INFO', 'memory')
  if type(info) ~= 'string' then return end
  local used = tonumber(string.match(info, '\nused_memory:(%d+)') or nil)
  local most = tonumber(string.match(info, '\nmaxmemory:(%d+)') or nil)
  if not used or not most or most == 0 then return end
  -- What Redis excludes from the comparison: buffers for its file and its replicas.
  return used - (tonumber(string.match(info, '\nmem_not_counted_for_evict:(%d+)') or nil) or 0), most
end
