--[[
  Deletes an event that is over, and makes of what its task knew of it a claim
  that takes little room; included, never run. Needs delivery.lua.

  Never touches an event with anything open or held, whatever its index says.
]]
--- @include claims.lua
--- @include task-events.lua
--- @include deliveries-of.lua

-- What has gone, so that each task is looked at once, however many of its events went.
local gone, tasks_of_gone = {}, {}

-- The record, the body and the indexes. `index` is the one of ended events that named it. Returns the size of the body;
-- nothing when the event stays.
local function delete_event(prefix, index, id)
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'task', 'open', 'subs', 'flags', 'failed', 'size', 'status', 'digest', 'rev')
  redis.call('ZREM', index, id)
  local names = subscribers_of(event, stored[3])
  local open, failed = tonumber(stored[2] or nil), tonumber(stored[5] or nil)
  if not open or not failed then open, failed = counts_of(prefix, id, names) end
  if open > 0 then return end
  redis.call('DEL', event, prefix .. 'body:' .. id)
  redis.call('ZREM', prefix .. 'events', id)
  if failed > 0 then
    for _, subscriber in ipairs(names) do
      redis.call('ZREM', prefix .. 'failed:' .. subscriber, id)
      redis.call('ZREM', prefix .. 'corrupt:' .. subscriber, id)
    end
  end
  if stored[1] then
    local test = string.find(',' .. (stored[4] or '') .. ',', ',test,', 1, true)
    local task = prefix .. (test and 'test-task:' or 'task:') .. stored[1]
    gone[#gone + 1] = { task = task, event = id, status = stored[7] or '', digest = stored[8] or '', revision = tonumber(stored[9] or nil) or 1 }
    tasks_of_gone[task] = { events = {}, fields = 0 }
  end
  return tonumber(stored[6] or nil) or 0
end

-- The task forgets an event; its claim, when it was not taken over, goes to the others without an event. Returns how many
-- fields of the task went.
local function forget_event(prefix, window, now, event)
  local field = 'c:' .. event.status .. ':' .. event.digest
  local first, at = string.match(redis.call('HGET', event.task, field) or '', '^(%S+) (%d+)$')
  if first ~= event.event then return redis.call('HDEL', event.task, 'e:' .. event.event) end
  local fields = redis.call('HDEL', event.task, field)
  event.at = tonumber(at)
  remember(prefix, window, now, event)
  return fields
end

-- Deletes what a task knows of events that are gone, as an earlier release and an import leave it, and the task with the last
-- of its events. `all`: not only as far as the first event that is there.
local function tidy_task(prefix, window, now, task, all)
  local fields, values, others, ids, dropped = redis.call('HGETALL', task), {}, false, {}, 0
  for i = 1, #fields, 2 do values[fields[i]] = fields[i + 1] end
  for i = 1, #fields, 2 do
    local kind, rest = string.match(fields[i], '^([ce]):(.+)$')
    local event, at = rest, nil
    if kind == 'c' then event, at = string.match(fields[i + 1], '^(%S+) (%d+)$') end
    if event and redis.call('EXISTS', prefix .. 'event:' .. event) == 1 then
      others = true
      if not all then break end
    elseif kind then
      redis.call('HDEL', task, fields[i])
      ids[#ids + 1], dropped = event, dropped + 1
      local status, digest = string.match(rest, '^(-?%d+):(.+)$')
      if kind == 'c' and event and status then
        remember(prefix, window, now, { task = task, event = event, status = status, digest = digest,
          revision = tonumber(values['r:' .. status] or nil) or 1, at = tonumber(at) })
      end
    end
  end
  if others then unindex_events(prefix, task, ids, dropped) else delete_task(prefix, task) end
end

-- A task with more than this is not read as a whole for each of its events: of so many fields by chance one tells of an
-- event, unless hardly any does.
local FEW_FIELDS = 16

local function tidy_task_of_gone(prefix, window, now, task, went)
  local some = redis.call('HRANDFIELD', task, FEW_FIELDS + 1)
  local has_few, has_events = #some <= FEW_FIELDS, false
  for _, field in ipairs(some) do has_events = has_events or string.find(field, '^[ce]:') ~= nil end
  if has_few and not has_events then return delete_task(prefix, task) end
  unindex_events(prefix, task, went.events, went.fields)
  if has_few or not has_events then tidy_task(prefix, window, now, task, false) end
end

-- To be called after the last delete_event.
local function forget_events(prefix, window, now)
  for _, event in ipairs(gone) do
    local of_task = tasks_of_gone[event.task]
    of_task.events[#of_task.events + 1] = event.event
    of_task.fields = of_task.fields + forget_event(prefix, window, now, event)
  end
  for task, went in pairs(tasks_of_gone) do tidy_task_of_gone(prefix, window, now, task, went) end
  save_claims(prefix)
  gone, tasks_of_gone = {}, {}
end
