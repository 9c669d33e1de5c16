--[[
  The shim that BullMQ's scripts are given for `redis` inside ours; included,
  never run.

  BullMQ asks and writes much that has one answer for every job of ours: none
  has parents, children, priorities or a deduplication id, nobody reads the
  stream of events or the job's own counters, and what holds a queue back is
  known elsewhere. Such calls are answered here instead, since each would cost
  Redis more than what it asks. Whatever is not in this table is done as BullMQ
  says.
]]
local answers = {}
local marked = {}

local function nothing() end
local function zero() return 0 end
local function one() return 1 end

-- Events: read by nobody.
answers.XADD, answers.XTRIM = nothing, nothing
-- Children, and jobs with a priority.
answers.SCARD, answers.ZCARD = zero, zero
-- How often a job was begun and finished: the record knows.
answers.HINCRBY = one

-- The number of jobs ever added names those that have no id; the other counter is that of the rate limit.
function answers.INCR(key)
  if string.sub(key, -3) == ':id' then return 1 end
  return redis.call('INCR', key)
end

-- The length of the stream of events.
function answers.HGET(key, field)
  if field == 'opts.maxLenEvents' then return '0' end
  return redis.call('HGET', key, field)
end

-- A parent; and the pause, concurrency and rate limit of a queue: ours are asked when a job is taken.
function answers.HMGET(key, first, ...)
  if first == 'parentKey' or first == 'paused' then return { false, false, false, false } end
  return redis.call('HMGET', key, first, ...)
end

-- The mark that jobs wait: nobody takes it away meanwhile.
function answers.ZADD(key, score, member)
  if member ~= '0' then return redis.call('ZADD', key, score, member) end
  if marked[key] then return 0 end
  marked[key] = true
  return redis.call('ZADD', key, score, member)
end

local shim = {
  call = function(command, ...)
    local instead = answers[command]
    if instead then return instead(...) end
    return redis.call(command, ...)
  end,
  pcall = redis.pcall
}
