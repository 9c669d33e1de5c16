--[[
  One batch of the workers' moves: results of attempts go on record, their jobs
  finish, wait or go back, and a worker that is free gets its next job together
  with the delivery that it is for. Given the scripts of BullMQ and of the record
  as functions (batch-commands.ts). A job whose attempt could not be recorded stays where
  it is.

  Most jobs finish and are followed by the next of their queue. For these,
  BullMQ's two scripts are written here once more for jobs like ours, which
  have no parents, children, priorities or results: most of what they
  do is needed for none of ours. A test holds what this leaves in Redis against what
  BullMQ leaves. Everything else, and every queue with jobs that become
  due, is BullMQ's.

  KEYS  1 events
  ARGV  1 packed:
          attempts   what record-attempts.lua takes
          queues     by subscriber, how BullMQ takes a job from its queue: keys, prefix, options; and limits: concurrency,
                     max and per, milliseconds, of its rate limit
          moves      list of {subscriber, place of its attempt in the list above or 0, …}, which goes on with either
            "take", token for the lock of the job
            "finish", job's id, token of its lock, whether the next is wanted
            "call", which of SCRIPTS, how many of the arguments are keys, arguments (list of texts),
                    the binary ones among them (list of {place, first byte, last byte} in ARGV[2])
        2 the binary arguments, one behind the other
  Returns  1 packed: for each move {"moved", what BullMQ's script returns, what open-deliveries.lua says of the next
             job or false}, or {"failed", why}
           2… the bodies that these speak of
]]
--- @include shim.lua
local SCRIPTS = { bullmq_move_to_delayed, bullmq_move_to_wait }
local input = cmsgpack.unpack(ARGV[1])
local prefix = input.attempts.prefix
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('HDEL', prefix .. 'stats', 'x')
local numbers = record_attempts({}, { input.attempts }, redis)

-- The places in KEYS of BullMQ's moveToActive.
local WAIT, ACTIVE, STALLED, DELAYED, MARKER = 1, 2, 5, 7, 11

local limits = limits_of({}, { { prefix = prefix, now = tonumber(now) } }, redis)

-- Whether a delayed job of a queue is due. It stays so for this batch.
local due_queues = {}
local function has_due(keys)
  local known = due_queues[keys[DELAYED]]
  if known == nil then
    known = #redis.call('ZRANGEBYSCORE', keys[DELAYED], 0, (tonumber(now) + 1) * 0x1000 - 1, 'LIMIT', 0, 1) > 0
    due_queues[keys[DELAYED]] = known
  end
  return known
end

local function next_job(queue, token)
  local keys, options = queue.keys, queue.options
  if not has_due(keys) then
    local id = redis.call('RPOPLPUSH', keys[WAIT], keys[ACTIVE])
    if id then
      redis.call('SET', queue.prefix .. id .. ':lock', token, 'PX', options.lockDuration)
      shim.call('ZADD', keys[MARKER], 0, '0')
      return { {}, id, 0, 0 }
    end
  end
  options.token = token
  return bullmq_move_to_active(keys, { queue.prefix, now, cmsgpack.pack(options) }, shim)
end

--- @include closed-jobs.lua
-- Jobs that a batch may drop: a millisecond or two.
local drops_left = 500

-- The next job whose delivery is open; those before it are dropped, and cost nobody a place or a share of a rate limit.
local function next_open_job(subscriber, queue, token)
  for _ = 0, drops_left do
    local reply = next_job(queue, token)
    if type(reply[2]) ~= 'string' or not is_closed(prefix, subscriber, reply[2]) then return reply end
    drop_taken(queue.keys[ACTIVE], queue.prefix .. reply[2])
    drops_left = drops_left - 1
  end
  -- There may be more: the worker is to come again at once.
  return { 0, 0, 1, 0 }
end

-- Holds and limits are asked here and nowhere else: BullMQ's own pause, concurrency and rate limit are not used.
local function take(subscriber, token)
  local queue = input.queues[subscriber]
  local wait = limits.wait(subscriber, queue.limits)
  if wait then return { 0, 0, wait, 0 } end
  if redis.call('LLEN', queue.keys[ACTIVE]) >= limits.concurrency(subscriber, queue.limits) then return { 0, 0, 0, 0 } end
  local reply = next_open_job(subscriber, queue, token)
  if type(reply[2]) == 'string' then limits.took(subscriber, queue.limits) end
  return reply
end

-- The numbers are BullMQ's: -2 no lock, -3 not active, -6 locked by somebody else.
local function finish(subscriber, id, token, wants_next)
  local queue = input.queues[subscriber]
  local job = queue.prefix .. id
  local lock = redis.call('GET', job .. ':lock')
  if lock ~= token then return lock and -6 or -2 end
  redis.call('SREM', queue.keys[STALLED], id)
  if redis.call('LREM', queue.keys[ACTIVE], -1, id) == 0 then
    redis.call('DEL', job .. ':lock')
    return -3
  end
  redis.call('DEL', job, job .. ':lock')
  return wants_next and take(subscriber, token) or 0
end

local function call(which, keys, arguments, binaries)
  for _, binary in ipairs(binaries) do arguments[binary[1]] = string.sub(ARGV[2], binary[2], binary[3]) end
  return SCRIPTS[which]({ unpack(arguments, 1, keys) }, { unpack(arguments, keys + 1) }, shim)
end

local function move(subscriber, attempt, kind, ...)
  if type(numbers[attempt]) == 'string' then error(numbers[attempt], 0) end
  if kind == 'finish' then return finish(subscriber, ...) end
  if kind == 'take' then return take(subscriber, ...) end
  return call(...)
end

local replies, deliveries, asking = {}, {}, {}
for at, command in ipairs(input.moves) do
  local fine, result = pcall(move, unpack(command))
  replies[at] = fine and { 'moved', result, false } or { 'failed', type(result) == 'table' and result.err or tostring(result) }
  local next_event = fine and type(result) == 'table' and type(result[2]) == 'string' and string.match(result[2], '^(.+)%-%d+$')
  if next_event then
    deliveries[#deliveries + 1] = { command[1], next_event }
    asking[#asking + 1] = at
  end
end

limits.save()
local found = open_deliveries({}, { { prefix = prefix, deliveries = deliveries } }, redis)
for at, opened in ipairs(found[1]) do replies[asking[at]][3] = opened end
return { cmsgpack.pack(replies), unpack(found[2]) }
