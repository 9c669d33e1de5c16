--[[
  Reads what jobs are about: are their deliveries still open, and what is to be
  sent? Called as a function.

  ARGV  1 prefix      "{relay}:"
          deliveries  list of {subscriber, event id}
  Returns  1 for each: false when there is no such delivery; else
             1 task   2 received at   3 revision   4 content type   5 delivery, JSON
             6 the subscriber's hold: its place in HOLD_FIELDS, 0 for none
             7 the subscriber's clock, which stands still while it is on hold, milliseconds
             8 its body: a place in the second list, 0 for none
           2 the bodies, each once
]]
--- @include delivery.lua
local input = ARGV[1]
local prefix = input.prefix
local now = now_ms()

--- @constant HOLD_FIELDS

local standings = {}
local function standing(subscriber)
  local known = standings[subscriber]
  if known then return known end
  known = { hold = 0, clock = hold_clock(prefix, subscriber, now) }
  local holds = redis.call('HMGET', prefix .. 'subscriber:' .. subscriber, unpack(HOLD_FIELDS))
  for at = #HOLD_FIELDS, 1, -1 do
    -- Throttling was asked when the job was taken.
    if holds[at] and HOLD_FIELDS[at] ~= 'hold:throttle' then known.hold = at end
  end
  standings[subscriber] = known
  return known
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

local opened = {}
for at, delivery in ipairs(input.deliveries) do
  local subscriber, id = delivery[1], delivery[2]
  local stored = redis.call('HMGET', prefix .. 'event:' .. id, 'task', 'at', 'rev', 'ct', 'd:' .. subscriber)
  if stored[1] and stored[5] then
    local known = standing(subscriber)
    stored[6], stored[7], stored[8] = known.hold, known.clock, place_of_body(id)
    opened[at] = stored
  else
    opened[at] = false
  end
end
return { opened, bodies }
