--[[
  Walks events, newest first, and returns those that a filter wants: the one
  place that says which fit.

  KEYS  1 events, 2… the indexes to walk: that one, the open, failed and held ones of some subscribers, or those of some tasks
  ARGV  1 prefix
        2 cursor: only events with a sequence below it; "inf" to begin
        3 how many events to look at, about
        4 how many rows to return, at most
        5 filter, JSON; every key is optional:
          types {exact: {name: true}, prefixes: [..]}, tasks, statuses, businessIds, flags, subscribers, states: {value: true},
          since, until: milliseconds of arrival by this clock, missing: a subscriber that must have no delivery,
          heldNow: {subscriber: true}, whose waiting deliveries count as held
          ids: [id…], events to look at beside those of the indexes
  Returns  {next cursor, or "" at the end, row…}; a row is {id, EVENT_FIELDS…, n, then n of subscriber, delivery,
           1 if that fits what the filter says of deliveries or else 0}. What is missing in a row is ""; its place in the record
           is always there.
]]
--- @include deliveries-of.lua
--- @constant EVENT_FIELDS
--- @constant EVENT_FIELD
local F = EVENT_FIELD
-- What arrived when is known to the second, and a sequence is never less.
local SLACK_US = 2000000
local prefix, cursor, budget, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local filter = cjson.decode(ARGV[5])

local highest = cursor == 'inf' and '+inf' or ('(' .. cursor)
local lowest = filter.since and string.format('%.0f', filter.since * 1000 - SLACK_US) or '-inf'

-- What is asked of each of several indexes, at least.
local SMALLEST_SHARE = 20

-- The newest of one index, and whether that is all of it.
local function newest_of(key, count)
  local range = redis.call('ZREVRANGEBYSCORE', key, highest, lowest, 'WITHSCORES', 'LIMIT', 0, count)
  return range, #range / 2 < count
end

local function flat_newest_first(list, floor)
  table.sort(list, function(a, b) return a[3] > b[3] end)
  local flat = {}
  for _, entry in ipairs(list) do
    if entry[3] < floor then break end
    flat[#flat + 1] = entry[1]
    flat[#flat + 1] = entry[2]
  end
  return flat
end

-- Those that the filter names.
local function named()
  local below, list = cursor == 'inf' and math.huge or tonumber(cursor), {}
  for _, id in ipairs(filter.ids or {}) do
    local sequence = redis.call('ZSCORE', KEYS[1], id)
    if sequence and tonumber(sequence) < below then list[#list + 1] = { id, sequence, tonumber(sequence) } end
  end
  return list
end

-- The newest candidates of all indexes together and those that are named, each once, and whether there are no more.
local function candidates()
  if #KEYS == 2 and not filter.ids then return newest_of(KEYS[2], budget) end
  local share = math.max(SMALLEST_SHARE, math.floor(budget / math.max(1, #KEYS - 1)))
  local seen, list, all, floor = {}, named(), true, 0
  for k = 2, #KEYS do
    local range, whole = newest_of(KEYS[k], share)
    -- Below its share an index may have more: nothing older than that can be told yet.
    if not whole then all, floor = false, math.max(floor, tonumber(range[#range])) end
    for i = 1, #range, 2 do
      if not seen[range[i]] then
        seen[range[i]] = true
        list[#list + 1] = { range[i], range[i + 1], tonumber(range[i + 1]) }
      end
    end
  end
  return flat_newest_first(list, floor), all
end

local function type_fits(value)
  if not filter.types then return true end
  if filter.types.exact[value] then return true end
  for _, start in ipairs(filter.types.prefixes) do
    if string.sub(value, 1, #start) == start then return true end
  end
  return false
end

local function flag_fits(flags)
  if not filter.flags then return true end
  for flag in string.gmatch(flags, '[^,]+') do
    if filter.flags[flag] then return true end
  end
  return false
end

local function event_fits(v, sequence)
  local at = v[F.arr] or v[F.at]
  at = is_whole(at) and tonumber(at) or sequence / 1000
  return type_fits(v[F.type] or '')
    and (not filter.tasks or filter.tasks[v[F.task]])
    and (not filter.statuses or filter.statuses[v[F.status]])
    and (not filter.businessIds or (v[F.biz] and filter.businessIds[v[F.biz]]))
    and (not filter.since or at >= filter.since)
    and (not filter['until'] or at < filter['until'])
    and flag_fits(v[F.flags] or '')
end

-- One that cannot be read is shown as failed. What only looks as if it could be, its reader finds out.
local function state_of(subscriber, json)
  local state = string.sub(json, -1) == '}' and string.match(json, '"s":"(%a+)"') or 'failed'
  if (state == 'queued' or state == 'retrying') and filter.heldNow and filter.heldNow[subscriber] then return 'held' end
  return state
end

-- All deliveries of an event, and whether one of them fits.
local function deliveries_of(id, names)
  local list, wanted = {}, not filter.subscribers and not filter.states
  for _, subscriber in ipairs(subscribers_of(prefix .. 'event:' .. id, names)) do
    if subscriber == filter.missing then return nil end
    local json = redis.call('HGET', prefix .. 'event:' .. id, 'd:' .. subscriber) or ''
    local fits = (not filter.subscribers or filter.subscribers[subscriber])
      and (not filter.states or filter.states[state_of(subscriber, json)])
    list[#list + 1] = subscriber
    list[#list + 1] = json
    list[#list + 1] = fits and 1 or 0
    wanted = wanted or fits
  end
  return wanted and list or nil
end

local found, all = candidates()
local rows = { all and '' or found[#found] }
for i = 1, #found, 2 do
  local id = found[i]
  local values = redis.call('HMGET', prefix .. 'event:' .. id, unpack(EVENT_FIELDS))
  if (values[F.task] or redis.call('EXISTS', prefix .. 'event:' .. id) == 1) and event_fits(values, tonumber(found[i + 1])) then
    local deliveries = deliveries_of(id, values[F.subs])
    if deliveries then
      local row = { id }
      for f = 1, #EVENT_FIELDS do row[f + 1] = values[f] or '' end
      if not values[F.biz] then row[F.biz + 1] = false end
      if not is_whole(values[F.seq]) then row[F.seq + 1] = found[i + 1] end
      row[#EVENT_FIELDS + 2] = #deliveries / 3
      for d = 1, #deliveries do row[#row + 1] = deliveries[d] end
      rows[#rows + 1] = row
      if #rows - 1 == limit then
        if i + 1 < #found or rows[1] ~= '' then rows[1] = found[i + 1] end
        break
      end
    end
  end
end
return rows
