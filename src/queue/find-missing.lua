--[[
  Looks for open deliveries that have no job.

  KEYS  1 open deliveries of a subscriber
  ARGV  1 prefix  2 prefix of the queue's jobs  3 subscriber
        4 cursor: only events with a sequence above it  5 how many to look at
  Returns  {next cursor, or "" at the end, event id, generation, …}
]]
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[4], '+inf', 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[5]))
local result = { #found / 2 < tonumber(ARGV[5]) and '' or found[#found] }
for i = 1, #found, 2 do
  local id = found[i]
  local json = redis.call('HGET', ARGV[1] .. 'event:' .. id, 'd:' .. ARGV[3])
  local generation = json and string.match(json, '"g":(%d+)')
  if generation and redis.call('EXISTS', ARGV[2] .. id .. '-' .. generation) == 0 then
    result[#result + 1] = id
    result[#result + 1] = generation
  end
end
return result
