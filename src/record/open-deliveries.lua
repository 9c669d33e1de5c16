--[[
  Reads what jobs are for: is the delivery still open under its job, and what is
  to be sent? A delivery that is open and cannot be read fails here, once.
  Called as a function; what it has read holds for all jobs of one call.

  ARGV  1 prefix  "{relay}:"
          now     milliseconds
  Returns  a table
    open(subscriber, job's id)  nil when the job is for nothing;
                                nil and a time, milliseconds, when the delivery is not due before it; else
             1 task   2 received at   3 revision   4 content type   5 delivery, JSON
             6 the subscriber's clock, which stands still while it is on hold, milliseconds
             7 its body: a place in the list
    bodies   the bodies, each once
    corrupt  list of {event id, subscriber}: those that failed here
]]
--- @include delivery.lua
--- @include corrupt.lua
local prefix, now = ARGV[1].prefix, ARGV[1].now

local clocks = {}
local function clock_of(subscriber)
  clocks[subscriber] = clocks[subscriber] or hold_clock(prefix, subscriber, now)
  return clocks[subscriber]
end

local bodies, places = {}, {}
local function place_of_body(id)
  if not places[id] then
    local body = redis.call('GET', prefix .. 'body:' .. id)
    if body then bodies[#bodies + 1] = body end
    places[id] = body and #bodies or 0
  end
  return places[id]
end

local corrupt = {}
local function open(subscriber, job_id)
  local id, generation = string.match(job_id, '^(evt_%w+)%-(%d+)$')
  if not id then return nil end
  local stored = redis.call('HMGET', prefix .. 'event:' .. id, 'task', 'at', 'rev', 'ct', 'd:' .. subscriber)
  local delivery = read_delivery(stored[5])
  if delivery and (delivery.s ~= 'queued' and delivery.s ~= 'retrying' or delivery.g ~= tonumber(generation)) then return nil end
  if delivery and delivery.s == 'retrying' and delivery.t and delivery.t > now then return nil, delivery.t end
  local whole = delivery and stored[1] and is_whole(stored[2]) and is_whole(stored[3]) and place_of_body(id) > 0
  if not whole then
    if fail_corrupt(prefix, id, subscriber, tonumber(generation), now) then corrupt[#corrupt + 1] = { id, subscriber } end
    return nil
  end
  stored[4] = stored[4] or false
  stored[6], stored[7] = clock_of(subscriber), place_of_body(id)
  return stored
end

return { open = open, bodies = bodies, corrupt = corrupt }
