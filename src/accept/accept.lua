--[[
  Accepts arrivals, or finds that they are duplicates: the one place where first,
  duplicate, revision, late and conflict are decided. Each arrival is decided for
  itself, in order; those that come at about the same time share the call.

  KEYS  1 events
  ARGV  1 packed:
          prefix      "{relay}:"
          window      of deduplication, milliseconds
          onConflict  "hold" or "forward" other content under the same task and status
          onLate      "keep" or "forward" a status 0 after a final one
          templates   by subscriber, see ../queue/bullmq/jobs.lua
          arrivals    list of
            id           used only when this is no duplicate
            task         key of the task
            status, digest
            fields       of the event's hash, by name
            flags        list
            age          since it arrived, milliseconds
            subscribers  that it matches, list
        2… the bodies, in the order of the arrivals
  Returns  1 packed: for each arrival
             {"duplicate", id of the first one}
             {"accepted", id, revision, flags, subscribers}; the same again when it is sent twice
             {"failed", why}

  A script that fails half-way keeps what it wrote: so everything that can fail
  comes before the first write of each arrival.
]]
--- @include ../record/delivery.lua
--- @include ../record/claims.lua
--- @include ../record/task-events.lua
--- @include ../queue/bullmq/jobs.lua
--- @include ../redis/full.lua
local input = cmsgpack.unpack(ARGV[1])
local prefix, window, templates = input.prefix, input.window, input.templates
local stats = prefix .. 'stats'
local us = now_us()
local now = math.floor(us / 1000)
local now_text = string.format('%.0f', now)

-- Clocks that differ by less are taken for one.
local SKEWED_MS = 1000

local last_sequence
local duplicates_of, duplicates, accepted, owed = {}, 0, 0, {}

-- Strictly rising, even when the clock is set back; as many more are set aside as arrivals are left. The first
-- write of all: a full Redis refuses it.
local function next_sequence(left)
  if not last_sequence then
    last_sequence = math.max(us, tonumber(redis.call('GET', prefix .. 'sequence') or 0) + 1)
    redis.call('SET', prefix .. 'sequence', string.format('%.0f', last_sequence + left))
  else
    last_sequence = last_sequence + 1
  end
  return string.format('%.0f', last_sequence)
end

-- A delivery as it begins; the same for every event of this call.
local beginnings = {}
local function beginning(subscriber)
  beginnings[subscriber] = beginnings[subscriber]
    or cjson.encode({ s = 'queued', g = 1, n = 0, b = 0, q = hold_clock(prefix, subscriber, now), t = now })
  return beginnings[subscriber]
end

local function held(subscriber)
  return cjson.encode({ s = 'held', h = 'conflict', g = 1, n = 0, b = 0, q = hold_clock(prefix, subscriber, now) })
end

-- Whether the claim of a task's status and content is in force, and by whom it was made; one that cannot be read is none.
local function claimed(claim)
  local first, at = string.match(claim, '^(%S+) (%d+)$')
  return at and now - tonumber(at) < window, first
end

-- When it arrived by this clock: as the gateway says, unless its clock is another one.
local function arrived_at(arrival)
  local by_this_clock = now - arrival.age
  return math.abs(by_this_clock - arrival.fields.at) > SKEWED_MS and by_this_clock or arrival.fields.at
end

-- What a task's final statuses, of which the first arrived at `final_at` (nil: nobody knows), say of one more status.
local function standing(status, seen, final_at, arrived)
  local final = status ~= '0' and status ~= '-1'
  local known = string.find(',' .. seen .. ',', ',' .. status .. ',', 1, true)
  -- One that waited in the spool may be accepted after a final one that it came before.
  local late = status == '0' and seen ~= '' and not (final_at and arrived < final_at)
  local conflict = final and seen ~= '' and not (known and not string.find(seen, ',', 1, true))
  local finals = final and not known and (seen == '' and status or (seen .. ',' .. status)) or nil
  local is_first = final and (seen == '' or (final_at and arrived < final_at))
  return late, conflict, finals, is_first
end

local function write(arrival, known, body, left)
  local id, task, status = arrival.id, arrival.task, arrival.status
  local claim_field = 'c:' .. status .. ':' .. arrival.digest
  local arrived = arrived_at(arrival)
  local late, conflict, finals, is_first = standing(status, known[3] or '', tonumber(known[4] or nil), arrived)
  local revision = known[2] + 1
  local flags = arrival.flags
  if late then flags[#flags + 1] = 'late' end
  if conflict then flags[#flags + 1] = 'conflict' end
  local flags_text = table.concat(flags, ',')
  local subscribers = (late and input.onLate == 'keep') and {} or arrival.subscribers
  local hold = revision > 1 and input.onConflict == 'hold'
  for _, subscriber in ipairs(subscribers) do beginning(subscriber) end

  if is_full() then error({ err = FULL }, 0) end
  local sequence = next_sequence(left)
  local claims = { claim_field, id .. ' ' .. now_text, 'r:' .. status, revision }
  if finals or known.recalled then
    claims[5], claims[6] = 'finals', finals or known[3]
  end
  if is_first then
    claims[#claims + 1], claims[#claims + 2] = 'finalAt', string.format('%.0f', arrived)
  end
  -- The window is over: the claim is taken over, and the task still knows its former event.
  local added = 0
  if known[1] then
    local _, first = claimed(known[1])
    if first and redis.call('EXISTS', prefix .. 'event:' .. first) == 1 then added = redis.call('HSET', task, 'e:' .. first, '') end
  end
  added = added + redis.call('HSET', task, unpack(claims))
  redis.call('PERSIST', task)
  index_event(prefix, task, id, sequence, added)
  redis.call('ZADD', KEYS[1], sequence, id)
  redis.call('SET', prefix .. 'body:' .. id, body)

  local fields = {
    'status', status, 'digest', arrival.digest, 'seq', sequence, 'rev', revision, 'flags', flags_text, 'dup', 0,
    'open', #subscribers, 'failed', 0, 'subs', table.concat(subscribers, ',')
  }
  -- When it arrived by this clock, if the gateway's says otherwise: by this one it is found later.
  if arrived ~= arrival.fields.at then fields[#fields + 1], fields[#fields + 2] = 'arr', string.format('%.0f', arrived) end
  local last = #fields
  for name, value in pairs(arrival.fields) do
    fields[last + 1], fields[last + 2] = name, value
    last = last + 2
  end
  for _, subscriber in ipairs(subscribers) do
    fields[last + 1], fields[last + 2] = 'd:' .. subscriber, hold and held(subscriber) or beginning(subscriber)
    last = last + 2
    redis.call('ZADD', index_of(prefix, subscriber, hold and 'held' or 'queued'), sequence, id)
    owed[subscriber] = true
  end
  redis.call('HSET', prefix .. 'event:' .. id, unpack(fields))

  if #subscribers == 0 then settle(prefix, id, now) end
  if not hold then
    for _, subscriber in ipairs(subscribers) do add_job(templates[subscriber], id, 1, now) end
  end
  accepted = accepted + 1
  return { 'accepted', id, revision, flags_text, table.concat(subscribers, ',') }
end

-- What there is to say of an arrival whose claim was made before: by the same arrival, sent twice, or by another.
local function duplicate_or_sent_twice(arrival, first)
  if first == arrival.id then
    local made = redis.call('HMGET', prefix .. 'event:' .. first, 'rev', 'flags', 'subs')
    return { 'accepted', first, tonumber(made[1] or 0), made[2] or '', made[3] or '' }
  end
  duplicates_of[first] = (duplicates_of[first] or 0) + 1
  duplicates = duplicates + 1
  return { 'duplicate', first }
end

local function with(seen, finals)
  for status in string.gmatch(finals, '[^,]+') do
    if not seen then
      seen = status
    elseif not string.find(',' .. seen .. ',', ',' .. status .. ',', 1, true) then
      seen = seen .. ',' .. status
    end
  end
  return seen
end

local function decide(arrival, body, left)
  local task, status, digest = arrival.task, arrival.status, arrival.digest
  local known = redis.call('HMGET', task, 'c:' .. status .. ':' .. digest, 'r:' .. status, 'finals', 'finalAt')
  if known[1] then
    local in_force, first = claimed(known[1])
    if in_force or first == arrival.id then return duplicate_or_sent_twice(arrival, first) end
  end
  local first, revision, finals = recall(prefix, window, now, task, status, digest)
  if first then return duplicate_or_sent_twice(arrival, first) end
  known[2] = math.max(tonumber(known[2] or nil) or 0, revision)
  local all = with(known[3], finals)
  known[3], known.recalled = all, all ~= known[3]
  return write(arrival, known, body, left)
end

local replies = {}
for at, arrival in ipairs(input.arrivals) do
  local fine, reply = pcall(decide, arrival, ARGV[at + 1], #input.arrivals - at)
  if not fine then
    local why = type(reply) == 'table' and reply.err or tostring(reply)
    -- Not about this arrival but about this server: the driver has to hear of it, and looks for the primary.
    if string.find(why, 'READONLY', 1, true) then error(reply, 0) end
    reply = { 'failed', why }
  end
  replies[at] = reply
end

for subscriber in pairs(owed) do redis.call('SADD', prefix .. 'subscribers', subscriber) end
if accepted > 0 then redis.call('HINCRBY', stats, 'accepted', accepted) end
if duplicates > 0 then
  -- A full Redis refuses a script's first write only, and not this one: what frees memory, or costs none, must go on.
  redis.call('HDEL', stats, 'x')
  for first, count in pairs(duplicates_of) do
    if redis.call('EXISTS', prefix .. 'event:' .. first) == 1 then redis.call('HINCRBY', prefix .. 'event:' .. first, 'dup', count) end
  end
  redis.call('HINCRBY', stats, 'duplicates', duplicates)
end
return { cmsgpack.pack(replies) }
