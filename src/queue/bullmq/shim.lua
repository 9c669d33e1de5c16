--[[
  The shim that BullMQ's scripts get as `redis` inside ours; included, never run.

  BullMQ makes many calls that have only one answer for our jobs: they have no
  parents, children, priorities or deduplication ids, nothing reads the event
  stream or the job counters, and limits are kept elsewhere. The shim answers
  these calls, because each would cost Redis more than its answer is worth. It
  passes on every call that is not in this table.
]]
local answers = {}
local marked = {}

local function nothing() end
local function zero() return 0 end
local function one() return 1 end

-- Events, which nothing reads.
answers.XADD, answers.XTRIM = nothing, nothing
-- Children, and jobs with a priority.
answers.SCARD, answers.ZCARD = zero, zero
-- How often a job was begun and finished: the record knows.
answers.HINCRBY = one

-- The number of jobs ever added names jobs without an id; the other counter belongs to the rate limit.
function answers.INCR(key)
  if string.sub(key, -3) == ':id' then return 1 end
  return redis.call('INCR', key)
end

-- The length of the event stream.
function answers.HGET(key, field)
  if field == 'opts.maxLenEvents' then return '0' end
  return redis.call('HGET', key, field)
end

-- A parent; and the pause, concurrency and rate limit of a queue: ours are checked when a job is taken.
function answers.HMGET(key, first, ...)
  if first == 'parentKey' or first == 'paused' then return { false, false, false, false } end
  return redis.call('HMGET', key, first, ...)
end

-- The marker that jobs wait: nothing removes it meanwhile.
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
