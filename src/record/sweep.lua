--[[
  Deletes events whose retention is over: the record, the body, the indexes,
  and what nobody needs any more of their tasks' claims.

  KEYS  1 ended or ended-failed  2 events
  ARGV  1 prefix  2 retention in milliseconds  3 dedupe window in milliseconds  4 how many at most
  Returns  {how many were deleted, how many were looked at}
]]
--- @include delivery.lua
local prefix, window = ARGV[1], tonumber(ARGV[3])
local now = now_ms()

-- Claims outlive their events until the window closes; a task without events goes with its last claim.
-- Looks at each task once, however many of its events went.
local function forget_claims(task, gone)
  local fields = redis.call('HGETALL', task)
  local claims, others, last = 0, false, 0
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'e:' then
      if gone[string.sub(fields[i], 3)] then redis.call('HDEL', task, fields[i]) else others = true end
    end
    if string.sub(fields[i], 1, 2) == 'c:' then
      local event, at = string.match(fields[i + 1], '^(%S+) (%d+)$')
      at = tonumber(at)
      if gone[event] and now - at >= window then
        redis.call('HDEL', task, fields[i])
      else
        claims = claims + 1
        last = math.max(last, at)
        if not others and not gone[event] and redis.call('EXISTS', prefix .. 'event:' .. event) == 1 then others = true end
      end
    end
  end
  if others then return end
  if claims == 0 then
    redis.call('DEL', task)
  else
    redis.call('PEXPIRE', task, math.max(1, last + window - now))
  end
end

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]), 'LIMIT', 0, tonumber(ARGV[4]))
local deleted, tasks = 0, {}
for _, id in ipairs(due) do
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'task', 'open', 'subs', 'flags')
  redis.call('ZREM', KEYS[1], id)
  if tonumber(stored[2] or 0) == 0 then
    redis.call('DEL', event, prefix .. 'body:' .. id)
    redis.call('ZREM', KEYS[2], id)
    for subscriber in string.gmatch(stored[3] or '', '[^,]+') do
      redis.call('ZREM', prefix .. 'failed:' .. subscriber, id)
    end
    if stored[1] then
      local test = string.find(',' .. (stored[4] or '') .. ',', ',test,', 1, true)
      local task = prefix .. (test and 'test-task:' or 'task:') .. stored[1]
      tasks[task] = tasks[task] or {}
      tasks[task][id] = true
    end
    deleted = deleted + 1
  end
end
for task, gone in pairs(tasks) do forget_claims(task, gone) end
return { deleted, #due }
