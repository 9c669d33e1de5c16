--[[
  Adds the jobs of open deliveries that have none.

  KEYS  1 open deliveries of a subscriber
  ARGV  1 packed:
          prefix      "{relay}:"
          subscriber
          template    of its queue, see bullmq/jobs.lua
          cursor      only events with a sequence above it
          count       how many to look at
  Returns  1 packed: {next cursor, or "" at the end; how many were added}
]]
--- @include bullmq/jobs.lua
local input = cmsgpack.unpack(ARGV[1])
local now = redis.call('TIME')[1] * 1000
local jobs = input.template.arguments[1]
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. input.cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, input.count)
local added = 0
for i = 1, #found, 2 do
  local id = found[i]
  local json = redis.call('HGET', input.prefix .. 'event:' .. id, 'd:' .. input.subscriber)
  local generation = json and string.match(json, '"g":(%d+)')
  if generation and redis.call('EXISTS', jobs .. id .. '-' .. generation) == 0 then
    add_job(input.template, id, generation, now)
    added = added + 1
  end
end
return { cmsgpack.pack({ #found / 2 < input.count and '' or found[#found], added }) }
