--[[
  Jobs that nobody needs any more, because their deliveries were given up, put back under a
  new generation, or are gone; included, never run. None is ever looked for in the line of
  its queue, which would cost the more the more wait: it stays there as an id, and is dropped when its turn comes.
]]

-- Whether a job is for nothing. A delivery that cannot be read is none of these.
local function is_closed(prefix, subscriber, job_id)
  local id, generation = string.match(job_id, '^(.+)%-(%d+)$')
  local json = id and redis.call('HGET', prefix .. 'event:' .. id, 'd:' .. subscriber)
  if not json then return true end
  local state, present = string.match(json, '"s":"(%a+)"'), string.match(json, '"g":(%d+)')
  if not state or not present then return false end
  return present ~= generation or (state ~= 'queued' and state ~= 'retrying')
end

-- Drops a job that was taken in this step: it is the last that became active.
local function drop_taken(active, job)
  redis.call('LPOP', active)
  redis.call('DEL', job, job .. ':lock')
end

-- Forgets the job of a delivery that is over, all but its id when that is in a line. One in flight is left to whoever holds it.
local function forget_job(queues, subscriber, id, generation)
  local queue, job_id = queues .. ':' .. subscriber .. ':', id .. '-' .. generation
  redis.call('ZREM', queue .. 'delayed', job_id)
  if redis.call('EXISTS', queue .. job_id .. ':lock') == 0 then redis.call('DEL', queue .. job_id) end
end
