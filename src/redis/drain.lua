--[[
  Runs commands one after the other, even on a full Redis.

  KEYS  1 a key that they write
  ARGV  1 packed: list of commands, each a list of its name and its arguments
  Returns  what each returns
]]
-- A full Redis refuses a script's first write only, and never this one.
redis.call('DEL', KEYS[1] .. ':x')
local replies = {}
for at, command in ipairs(cmsgpack.unpack(ARGV[1])) do
  local reply = redis.call(unpack(command))
  replies[at] = type(reply) == 'table' and reply.ok or reply
end
return replies
