--[[
  Records attempts and what each means for its delivery. Called as a function.

  ARGV  1 prefix    "{relay}:"
          kept      how many attempts are kept of one delivery
          attempts  list of
            1 event id   2 subscriber   3 generation the attempt was made for
            4 start of the attempt, milliseconds, as text; tells a call sent twice from a second attempt
            5 the attempt as the inside of a JSON object, without its number
            6 true when it uses budget
            7 next state: delivered, retrying, failed or unchanged
            8 milliseconds until the next attempt, or ""
            9 status code or ""   10 error or ""   11 true when the subscriber is gone
           12 what it says of the subscriber: good, bad or ""   13 true when it failed because its budget is used up
           14 how long the subscriber is throttled, milliseconds, 0 for not
          breakers  rules of the breaker by subscriber, for those who have one
  Returns  for each {its number, when the next attempt that follows from it is due or 0}, the number 0 when the event is
           no more or it was recorded before; a text that says why when it could not be recorded
]]
--- @include delivery.lua
--- @include corrupt.lua
--- @include breaker.lua
--- @include throttle.lua
local input = ARGV[1]
local prefix = input.prefix
local stats = prefix .. 'stats'
local now = now_ms()

-- What the attempts of one call add up to, by subscriber.
local tallies = {}
local function tally(subscriber)
  tallies[subscriber] = tallies[subscriber] or { delivered = 0, failed = 0, good = 0, bad = 0 }
  return tallies[subscriber]
end

local function add_line(lines, number, inside)
  local line = '{"n":' .. number .. ',' .. inside .. '}'
  if number > input.kept then lines = string.match(lines, '\n(.*)$') or '' end
  return lines == '' and line or (lines .. '\n' .. line)
end

local function move_index(subscriber, id, sequence, before, after)
  local from, to = index_of(prefix, subscriber, before), index_of(prefix, subscriber, after)
  if from == to then return end
  if from then redis.call('ZREM', from, id) end
  if to then redis.call('ZADD', to, sequence, id) end
end

-- Whether its breaker is being tried.
local trials = {}
local function is_tried(subscriber)
  if trials[subscriber] == nil then
    trials[subscriber] = input.breakers[subscriber] and redis.call('HEXISTS', prefix .. 'subscriber:' .. subscriber, 'breaker') == 1 or false
  end
  return trials[subscriber]
end

local function record(id, subscriber, generation, at, inside, uses_budget, state, wait_ms, code, problem, gone, soundness, exhausted, throttle_ms)
  local event = prefix .. 'event:' .. id
  local stored = redis.call('HMGET', event, 'd:' .. subscriber, 'a:' .. subscriber, 'seq', 'open', 'failed')
  if not stored[1] then return { 0, 0 } end
  local delivery = read_delivery(stored[1])
  -- One that was broken meanwhile: the answer is in hand, so it is written anew.
  if not delivery then
    if not redis.call('ZSCORE', prefix .. 'open:' .. subscriber, id) then return { 0, 0 } end
    delivery = { s = 'queued', g = generation, n = last_number(stored[2]), b = 0, q = hold_clock(prefix, subscriber, now) }
  end
  if not (is_whole(stored[3]) and is_whole(stored[4]) and is_whole(stored[5])) then
    stored[3] = repair_event(prefix, id)
    stored[4], stored[5] = unpack(redis.call('HMGET', event, 'open', 'failed'))
  end
  local lines = stored[2] or ''
  -- Quotes inside an attempt are escaped, so only a start can look like this.
  if string.find(lines, '"t":' .. at .. ',', 1, true) then
    return { 0, delivery.s == 'retrying' and delivery.t or 0 }
  end

  -- A trial costs the delivery nothing that happens to be tried.
  if soundness == 'bad' and is_tried(subscriber) then
    uses_budget = false
    if exhausted then state, wait_ms = 'retrying', 0 end
  end

  local before = delivery.s
  local current = delivery.g == generation and (before == 'queued' or before == 'retrying')
  local ends = current and (state == 'delivered' or state == 'failed')
  delivery.n = delivery.n + 1
  if current then
    delivery.c = tonumber(code)
    delivery.e = problem ~= '' and problem or nil
    if uses_budget then delivery.b = delivery.b + 1 end
    if state ~= 'unchanged' then
      delivery.s = state
      delivery.t = tonumber(wait_ms) and now + wait_ms
    end
    if state == 'delivered' then delivery.d = now end
  end

  local open = tonumber(stored[4]) - (ends and 1 or 0)
  local failed = tonumber(stored[5]) + (ends and state == 'failed' and 1 or 0)
  redis.call('HSET', event, 'a:' .. subscriber, add_line(lines, delivery.n, inside), 'd:' .. subscriber, cjson.encode(delivery),
    'open', open, 'failed', failed)
  move_index(subscriber, id, stored[3], before, delivery.s)
  local sums = tally(subscriber)
  if ends then
    sums[state] = sums[state] + 1
    if delivery.r then count_replay(prefix, delivery.r, state) end
    if open == 0 then redis.call('ZADD', prefix .. (failed > 0 and 'ended-failed' or 'ended'), now, id) end
  end
  if state == 'delivered' then sums.success = true elseif problem ~= '' then sums.problem = problem end
  if gone then sums.gone = true end
  if throttle_ms > (sums.throttle or 0) then sums.throttle = throttle_ms end
  if soundness ~= '' then sums[soundness] = sums[soundness] + 1 end
  return { delivery.n, current and delivery.s == 'retrying' and delivery.t or 0 }
end

-- A full Redis refuses a script's first write only, and not this one: the requests were made, so that goes on record.
if #input.attempts > 0 then redis.call('HDEL', stats, 'x') end
local recorded = {}
for at, attempt in ipairs(input.attempts) do
  local fine, result = pcall(record, unpack(attempt))
  recorded[at] = fine and result or (type(result) == 'table' and result.err or tostring(result))
end

for subscriber, sums in pairs(tallies) do
  local key = prefix .. 'subscriber:' .. subscriber
  for _, state in ipairs({ 'delivered', 'failed' }) do
    if sums[state] > 0 then
      redis.call('HINCRBY', key, state, sums[state])
      redis.call('HINCRBY', stats, state, sums[state])
    end
  end
  if sums.success then redis.call('HSET', key, 'lastSuccessAt', now) end
  if sums.problem then redis.call('HSET', key, 'lastError', sums.problem, 'lastErrorAt', now) end
  if sums.gone then
    redis.call('HSETNX', key, 'hold:gone', now)
    redis.call('HSETNX', key, 'heldSince', now)
  end
  if sums.throttle then throttle(key, sums.throttle, now) end
  local rules = input.breakers[subscriber]
  if rules and sums.good + sums.bad > 0 then weigh_breaker(key, rules, sums.good, sums.bad, now) end
end
return recorded
