--[[
  Deletes an event that is over, and what nobody needs any more of its task's
  claims; included, never run. Needs delivery.lua.

  Never touches an event with anything open or held, whatever its index says.
]]

-- The tasks whose events go, and which: forget_claims looks at each task once, however many of its events went.
local tasks_of_gone = {}

-- The record, the body and the indexes. `index` is the one of ended events that named it. Returns the size of the body;
-- nothing when the event stays.
local function delete_event(prefix, index, id)
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'task', 'open', 'subs', 'flags', 'failed', 'size')
  redis.call('ZREM', index, id)
  if tonumber(stored[2] or 0) > 0 then return end
  redis.call('DEL', event, prefix .. 'body:' .. id)
  redis.call('ZREM', prefix .. 'events', id)
  if tonumber(stored[5] or 0) > 0 then
    for subscriber in string.gmatch(stored[3] or '', '[^,]+') do redis.call('ZREM', prefix .. 'failed:' .. subscriber, id) end
  end
  if stored[1] then
    local test = string.find(',' .. (stored[4] or '') .. ',', ',test,', 1, true)
    local task = prefix .. (test and 'test-task:' or 'task:') .. stored[1]
    tasks_of_gone[task] = tasks_of_gone[task] or {}
    tasks_of_gone[task][id] = true
  end
  return tonumber(stored[6] or 0)
end

local function forget_claims_of(prefix, window, now, task, gone)
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

-- Claims outlive their events until the window closes; a task without events goes with its last claim.
local function forget_claims(prefix, window, now)
  for task, gone in pairs(tasks_of_gone) do forget_claims_of(prefix, window, now, task, gone) end
end
