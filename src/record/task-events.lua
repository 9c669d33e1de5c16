--[[
  The events of a task that has many, in their order, so that a page of them costs a page however many there are; included,
  never run.

    task:<taskId>            its field `indexed`: how many fields it had when the index was last whole. An earlier release
                             changes the task and not the index: then it has another number, and nobody reads the index
    events-of:task:<taskId>  ZSET, the index: event ids by sequence

  Of a task with few fields these are read instead, so most tasks have no index.
]]
local MANY_FIELDS = 16

local function task_index(prefix, task)
  return prefix .. 'events-of:' .. string.sub(task, #prefix + 1)
end

local function delete_task(prefix, task)
  redis.call('DEL', task, task_index(prefix, task))
end

-- From what the task knows; an event that is gone, or not written yet, is left out.
local function make_task_index(prefix, task)
  local index, fields = task_index(prefix, task), redis.call('HGETALL', task)
  redis.call('DEL', index)
  for i = 1, #fields, 2 do
    local kind, id = string.match(fields[i], '^([ce]):(.+)$')
    if kind == 'c' then id = string.match(fields[i + 1], '^%S+') end
    local sequence = kind and redis.call('HGET', prefix .. 'event:' .. id, 'seq')
    if sequence then redis.call('ZADD', index, sequence, id) end
  end
end

-- To be called when an event has been added to its task, with how many fields that has added.
local function index_event(prefix, task, id, sequence, added)
  local fields = redis.call('HLEN', task)
  if fields <= MANY_FIELDS then return end
  local indexed = tonumber(redis.call('HGET', task, 'indexed') or nil)
  if indexed ~= fields - added then make_task_index(prefix, task) end
  redis.call('ZADD', task_index(prefix, task), sequence, id)
  redis.call('HSET', task, 'indexed', indexed and fields or (fields + 1))
end

-- To be called when events have gone from their task, with how many fields have gone with them.
local function unindex_events(prefix, task, ids, gone)
  local indexed = redis.call('HGET', task, 'indexed')
  if not indexed then return end
  for _, id in ipairs(ids) do redis.call('ZREM', task_index(prefix, task), id) end
  redis.call('HSET', task, 'indexed', indexed - gone)
end
