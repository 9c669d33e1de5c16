--[[
  One batch of the workers' moves: results of attempts go on record, their jobs
  finish, wait or go back, and a worker that is free gets its next job together
  with the delivery that it is for. Given the scripts of the record as functions
  (batch-commands.ts). A job whose attempt could not be recorded stays where it
  is.

  BullMQ's own scripts for this are not used: most of what they do (parents,
  priorities, results, events) is needed for no job of ours, and they know
  neither what a job is for nor what limits it. A test holds what a batch leaves
  in Redis against what BullMQ leaves.

  Redis's clock alone says when a job is due: waits come as milliseconds from
  now.

  KEYS  1 events
  ARGV  1 packed:
          attempts   what record-attempts.lua takes
          lockMs     how long a job that is taken is locked
          queues     by subscriber: base, what the keys of its queue begin with; limits: concurrency,
                     max and per, milliseconds, of its rate limit
          moves      list of {subscriber, place of its attempt in the list above or 0, …}, which goes on with
            "take", token for the lock of the job
            "finish", job's id, token of its lock, whether the next is wanted
            "delay", job's id, token of its lock, milliseconds
            "back", job's id, token of its lock
  Returns  1 packed: for each move {"moved", job's id or "", what open-deliveries.lua says of it or false, how long to
             wait for a limit, how long for a job that becomes due; milliseconds, 0 for as long as nobody wakes the worker,
             when the next attempt of what was recorded is due or 0}, or {"failed", why}
           2 packed: deliveries that failed because what is stored of them cannot be read: list of {event id, subscriber}
           3… the bodies that these speak of
]]
local input = cmsgpack.unpack(ARGV[1])
local prefix = input.attempts.prefix
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A full Redis refuses a script's first write only, and not this one: deliveries make room.
redis.call('HDEL', prefix .. 'stats', 'x')
local recorded = record_attempts({}, { input.attempts }, redis)
local limits = limits_of({}, { { prefix = prefix, now = now } }, redis)
local deliveries = open_deliveries({}, { { prefix = prefix, now = now } }, redis)

-- Jobs that become due in one batch, of one queue.
local MOST_DUE = 1000
-- Jobs that are for nothing, of one batch; the next one goes on.
local drops_left = 500

-- BullMQ's score of a delayed job is its time and the place among those of the same millisecond.
local SCORE = 0x1000

local function text(number) return string.format('%.0f', number) end

-- The mark that a worker without a job waits for; it has it look again.
local marked = {}
local function mark(queue)
  if marked[queue.base] then return end
  marked[queue.base] = true
  redis.call('ZADD', queue.base .. 'marker', 0, '0')
end

-- It stays so for this batch.
local promoted = {}
local function promote_due(queue)
  if promoted[queue.base] then return end
  promoted[queue.base] = true
  local due = redis.call('ZRANGEBYSCORE', queue.base .. 'delayed', 0, text((now + 1) * SCORE - 1), 'LIMIT', 0, MOST_DUE)
  if #due == 0 then return end
  redis.call('ZREM', queue.base .. 'delayed', unpack(due))
  redis.call('LPUSH', queue.base .. 'wait', unpack(due))
end

-- How many jobs are under way, by queue: asked once, then counted.
local under_way = {}
local function count_under_way(queue, change)
  local known = under_way[queue.base]
  under_way[queue.base] = known and known + change or redis.call('LLEN', queue.base .. 'active')
  return under_way[queue.base]
end

local function delay(queue, id, at)
  redis.call('ZADD', queue.base .. 'delayed', text(at * SCORE), id)
  if redis.call('ZRANGE', queue.base .. 'delayed', 0, 0)[1] == id then mark(queue) end
end

local function none(limit_ms, due_ms)
  return { 'moved', '', false, limit_ms, due_ms }
end

local function next_due(queue)
  local first = redis.call('ZRANGE', queue.base .. 'delayed', 0, 0, 'WITHSCORES')
  return none(0, first[2] and math.max(1, math.floor(first[2] / SCORE) - now) or 0)
end

-- Begins the job unless it is for nothing, or not yet; a second entry of one that is under way is for nothing.
local function begin(subscriber, queue, id, token)
  local job = queue.base .. id
  local opened, due_at = deliveries.open(subscriber, id)
  if opened and redis.call('SET', job .. ':lock', token, 'NX', 'PX', input.lockMs) then
    redis.call('LPUSH', queue.base .. 'active', id)
    count_under_way(queue, 1)
    mark(queue)
    limits.took(subscriber, queue.limits)
    return { 'moved', id, opened, 0, 0 }
  end
  drops_left = drops_left - 1
  if not opened and redis.call('EXISTS', job .. ':lock') == 0 then
    if due_at then delay(queue, id, due_at) else redis.call('DEL', job) end
  end
  return nil
end

-- Holds and limits are asked here and nowhere else: BullMQ's own pause, concurrency and rate limit are not used.
local function take(subscriber, queue, token)
  local wait = limits.wait(subscriber, queue.limits)
  if wait then return none(wait, 0) end
  if count_under_way(queue, 0) >= limits.concurrency(subscriber, queue.limits) then return none(0, 0) end
  promote_due(queue)
  while drops_left > 0 do
    local id = redis.call('RPOP', queue.base .. 'wait')
    if not id then return next_due(queue) end
    local begun = begin(subscriber, queue, id, token)
    if begun then return begun end
  end
  mark(queue)
  return none(0, 0)
end

-- Whether jobs of a queue are suspected to be stalled; while none is, nothing has to be taken back.
local suspects = {}
local function has_suspects(queue)
  if suspects[queue.base] == nil then suspects[queue.base] = redis.call('EXISTS', queue.base .. 'stalled') == 1 end
  return suspects[queue.base]
end

-- Takes a job off the active ones, unless it is somebody else's by now. One whose lock was lost is still whose it was.
-- When it is `over`, nothing of it stays.
local function leave_active(queue, id, token, over)
  local job = queue.base .. id
  local lock = job .. ':lock'
  local holder = redis.call('GET', lock)
  if holder and holder ~= token then return false end
  if has_suspects(queue) then redis.call('SREM', queue.base .. 'stalled', id) end
  local was_active = redis.call('LREM', queue.base .. 'active', -1, id) > 0
  count_under_way(queue, was_active and -1 or 0)
  if over and was_active then redis.call('DEL', lock, job) else redis.call('DEL', lock) end
  return was_active
end

local moves = {}
moves.take = take

function moves.finish(subscriber, queue, id, token, wants_next, next_at)
  local is_over = next_at == 0
  if leave_active(queue, id, token, is_over) and not is_over then delay(queue, id, next_at) end
  if wants_next then return take(subscriber, queue, token) end
  mark(queue)
  return none(0, 0)
end

function moves.delay(_, queue, id, token, ms, next_at)
  if leave_active(queue, id, token) then delay(queue, id, next_at > 0 and next_at or now + ms) end
  return none(0, 0)
end

function moves.back(_, queue, id, token)
  if leave_active(queue, id, token) then
    redis.call('RPUSH', queue.base .. 'wait', id)
    mark(queue)
  end
  return none(0, 0)
end

-- A result may mean another attempt although its worker is done: a trial of a breaker uses no budget.
local function move(subscriber, attempt, kind, id, token, more)
  local result = recorded[attempt]
  if type(result) == 'string' then error(result, 0) end
  local next_at = result and result[2] or 0
  local moved = moves[kind](subscriber, input.queues[subscriber], id, token, more, next_at)
  moved[6] = next_at
  return moved
end

local replies = {}
for at, command in ipairs(input.moves) do
  local fine, result = pcall(move, unpack(command))
  replies[at] = fine and result or { 'failed', type(result) == 'table' and result.err or tostring(result) }
end
limits.save()
return { cmsgpack.pack(replies), cmsgpack.pack(deliveries.corrupt), unpack(deliveries.bodies) }
