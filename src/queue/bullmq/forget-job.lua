--[[
  Forgets the job of a delivery that has ended; included, never run. It does not search the lines of the queue, which
  would cost more the longer they are: the id stays there, and is dropped when its turn comes (batch.lua).
]]

-- Deletes everything but its id if that is in a line. A job in flight is left to its worker.
local function forget_job(queues, subscriber, id, generation)
  local queue, job_id = queues .. ':' .. subscriber .. ':', id .. '-' .. generation
  redis.call('ZREM', queue .. 'delayed', job_id)
  if redis.call('EXISTS', queue .. job_id .. ':lock') == 0 then redis.call('DEL', queue .. job_id) end
end
