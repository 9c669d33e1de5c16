--[[
  Puts jobs of open deliveries in line that are in no line.

  KEYS  1 open deliveries of a subscriber
  ARGV  1 packed:
          prefix      "{relay}:"
          subscriber
          base        what the keys of its queue begin with
          template    of its queue, see bullmq/jobs.lua
          cursor      only events with a sequence above it
          count       how many to look at
          line        where a job is in line: "read" where it stands in a line; "known" where it exists; "new" as "read",
                      but for the line of jobs that wait, which has just been taken away
  Returns  1 packed: {next cursor, or "" at the end; how many were put in line}
]]
-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('DEL', KEYS[1] .. ':x')
--- @include bullmq/jobs.lua
local input = cmsgpack.unpack(ARGV[1])
local now = redis.call('TIME')[1] * 1000
local base = input.base
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. input.cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, input.count)

local in_line = {}
for _, list in ipairs(({ read = { 'wait', 'active' }, known = {}, new = { 'active' } })[input.line]) do
  for _, id in ipairs(redis.call('LRANGE', base .. list, 0, -1)) do in_line[id] = true end
end

local function is_in_line(job)
  if input.line == 'known' then return redis.call('EXISTS', base .. job) == 1 end
  return in_line[job] or redis.call('ZSCORE', base .. 'delayed', job)
end

local added = 0
for i = 1, #found, 2 do
  local id = found[i]
  local stored = redis.call('HMGET', input.prefix .. 'event:' .. id, 'd:' .. input.subscriber, 'task')
  -- One that cannot be read needs a job as well: whoever takes it sees that.
  local job = id .. '-' .. (stored[1] and string.match(stored[1], '"g":(%d+)') or 1)
  if not stored[2] and redis.call('EXISTS', input.prefix .. 'event:' .. id) == 0 then
    redis.call('ZREM', KEYS[1], id)
  elseif not is_in_line(job) then
    if redis.call('EXISTS', base .. job) == 1 then
      redis.call('LPUSH', base .. 'wait', job)
    else
      add_job(input.template, id, string.match(job, '%d+$'), now)
    end
    added = added + 1
  end
end
if added > 0 then redis.call('ZADD', base .. 'marker', 0, '0') end
return { cmsgpack.pack({ #found / 2 < input.count and '' or found[#found], added }) }
