--[[
  Writes tasks and events of an export. What is there already stays as it is, so
  the same lines may come again.

  KEYS  1 events
  ARGV  1 packed:
          prefix  "{relay}:"
          tasks   list of
            key
            claims     by field of its hash
            revisions  by field
            finals     list of statuses
            final_at   when the first of them arrived, epoch milliseconds, or "" when nobody knows
            former     list of event ids
            expires    epoch milliseconds, or "" for a task that has events
          events  list of
            id, task (its key), claim (its field), status, isFinal
            sequence    the next free one is taken when an event of before has it
            endedAt
            fields      of the event's hash, by name; without its deliveries
            deliveries  list of {subscriber, stored form without hold clock, age in milliseconds, lines of attempts}
        2… the bodies, in the order of the events
  Returns  1 packed: for each event "imported", "there", or "duplicate" when the same callback was accepted here before

  A script that fails half-way keeps what it wrote: so each event's first write
  is the one that a full Redis refuses, and none of the others can fail.
]]
--- @include ../record/delivery.lua
--- @include ../record/task-events.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix = input.prefix
local now = now_ms()

local function raise(key, field, number)
  if tonumber(redis.call('HGET', key, field) or 0) < tonumber(number) then redis.call('HSET', key, field, number) end
end

-- `at`: when the first of these arrived, milliseconds; nil, as for those that are known, when nobody knows.
local function add_finals(task, finals, at)
  if #finals == 0 then return end
  local stored = redis.call('HMGET', task, 'finals', 'finalAt')
  local known, known_at = stored[1] or '', tonumber(stored[2] or nil)
  local all = known
  for _, status in ipairs(finals) do
    if not string.find(',' .. all .. ',', ',' .. status .. ',', 1, true) then all = all == '' and status or (all .. ',' .. status) end
  end
  if all ~= known then redis.call('HSET', task, 'finals', all) end
  local first = known == '' and at or (known_at and at and math.min(known_at, at))
  if first and first ~= known_at then
    redis.call('HSET', task, 'finalAt', string.format('%.0f', first))
  elseif known_at and not first then
    redis.call('HDEL', task, 'finalAt')
  end
end

for _, task in ipairs(input.tasks) do
  local expires = tonumber(task.expires)
  if not expires or expires > now then
    local is_new = redis.call('EXISTS', task.key) == 0
    for field, claim in pairs(task.claims) do redis.call('HSETNX', task.key, field, claim) end
    for field, number in pairs(task.revisions) do raise(task.key, field, number) end
    for _, id in ipairs(task.former) do redis.call('HSETNX', task.key, 'e:' .. id, '') end
    add_finals(task.key, task.finals, tonumber(task.final_at))
    if is_new and expires then redis.call('PEXPIREAT', task.key, task.expires) end
  end
end

local function text(number) return string.format('%.0f', number) end

-- No two events of a record have one sequence: a cursor that names it would pass one of them over. Events that come in the
-- order of their sequences stay in it. Of a long run of taken ones whole parts are passed over, the larger the better.
local function free_from(sequence)
  local function is_taken(from, count)
    return redis.call('ZCOUNT', KEYS[1], text(from), text(from + count - 1)) >= count
  end
  while is_taken(sequence, 1) do
    local run = 1
    while is_taken(sequence, 2 * run) do run = 2 * run end
    sequence = sequence + run
  end
  return sequence
end

local function raise_sequence(sequence)
  local last = tonumber(redis.call('GET', prefix .. 'sequence') or 0)
  redis.call('SET', prefix .. 'sequence', text(math.max(last, sequence)))
end

-- Whether this callback was accepted by the gateway of this Redis as well. Two events of one export can share a claim, when
-- the later one came after the window: then the former one is known as such, and the later one has a higher revision.
local function is_duplicate(event)
  local claim = redis.call('HGET', event.task, event.claim)
  local first = claim and string.match(claim, '^(%S+)')
  if not first or first == event.id or redis.call('HEXISTS', event.task, 'e:' .. event.id) == 1 then return false end
  local revision = redis.call('HGET', prefix .. 'event:' .. first, 'rev')
  return revision and tonumber(event.fields.rev) <= tonumber(revision)
end

local function write(event, body)
  local id, key = event.id, prefix .. 'event:' .. event.id
  if redis.call('EXISTS', key) == 1 then return 'there' end
  if is_duplicate(event) then return 'duplicate' end

  local place = free_from(tonumber(event.sequence))
  local sequence = text(place)
  event.fields.seq = sequence
  raise_sequence(place)
  local fields_before = redis.call('HLEN', event.task)
  if redis.call('HSETNX', event.task, event.claim, id .. ' ' .. event.fields.at) == 1 then
    if event.isFinal then add_finals(event.task, { event.status }, tonumber(event.fields.at)) end
  end
  raise(event.task, 'r:' .. event.status, event.fields.rev)
  redis.call('PERSIST', event.task)
  index_event(prefix, event.task, id, sequence, redis.call('HLEN', event.task) - fields_before)
  redis.call('ZADD', KEYS[1], sequence, id)
  redis.call('SET', prefix .. 'body:' .. id, body)

  local open, failed, names = 0, 0, {}
  local fields = {}
  for name, value in pairs(event.fields) do
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
  for _, entry in ipairs(event.deliveries) do
    local subscriber, stored, age, lines = entry[1], entry[2], entry[3], entry[4]
    stored.q = hold_clock(prefix, subscriber, now) - age
    names[#names + 1] = subscriber
    fields[#fields + 1], fields[#fields + 2] = 'd:' .. subscriber, cjson.encode(stored)
    if lines ~= '' then
      fields[#fields + 1], fields[#fields + 2] = 'a:' .. subscriber, lines
    end
    local index = index_of(prefix, subscriber, stored.s)
    if index then redis.call('ZADD', index, sequence, id) end
    if OPEN[stored.s] then open = open + 1 end
    if stored.s == 'failed' then failed = failed + 1 end
    redis.call('SADD', prefix .. 'subscribers', subscriber)
  end
  redis.call('HSET', key, 'open', open, 'failed', failed, 'subs', table.concat(names, ','), unpack(fields))
  if open == 0 then redis.call('ZADD', prefix .. (failed > 0 and 'ended-failed' or 'ended'), event.endedAt, id) end
  return 'imported'
end

local outcomes = {}
for at, event in ipairs(input.events) do outcomes[at] = write(event, ARGV[at + 1]) end
return { cmsgpack.pack(outcomes) }
