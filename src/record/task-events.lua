--[[
  The events of a task that has many, in order, so that the cost of a page does not grow with their number; included,
  never run.

    task:<taskId>            its field `indexed`: its number of fields when the index was last complete. An earlier release
                             changes the task and not the index: then the number differs, and the index is not read
    events-of:task:<taskId>  ZSET, the index: event ids by sequence

  The fields of a task with few of them are read instead, so most tasks have no index.
]]
local MANY_FIELDS = 16

local function task_index(prefix, task)
  return prefix .. 'events-of:' .. string.sub(task, #prefix + 1)
end

local function delete_task(prefix, task)
  redis.call('DEL', task, task_index(prefix, task))
end

-- Made from what the task knows; an event that is deleted, or not written yet, is left out.
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

-- Called after an event was added to its task, with the number of fields that this added.
local function index_event(prefix, task, id, sequence, added)
  local fields = redis.call('HLEN', task)
  if fields <= MANY_FIELDS then return end
  local indexed = tonumber(redis.call('HGET', task, 'indexed') or nil)
  if indexed ~= fields - added then make_task_index(prefix, task) end
  redis.call('ZADD', task_index(prefix, task), sequence, id)
  redis.call('HSET', task, 'indexed', indexed and fields or (fields + 1))
end

-- Called after events were removed from their task, with the number of fields that this removed.
local function unindex_events(prefix, task, ids, gone)
  local indexed = redis.call('HGET', task, 'indexed')
  if not indexed then return end
  for _, id in ipairs(ids) do redis.call('ZREM', task_index(prefix, task), id) end
  redis.call('HSET', task, 'indexed', indexed - gone)
end
