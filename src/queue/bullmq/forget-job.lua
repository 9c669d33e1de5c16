--[[
  Forgets the job of a delivery that is over; included, never run. It is never looked for in the line of its queue, which
  would cost the more the more wait: its id stays there, and is dropped when its turn comes (batch.lua).
]]

-- All but its id when that is in a line. One in flight is left to whoever holds it.
local function forget_job(queues, subscriber, id, generation)
  local queue, job_id = queues .. ':' .. subscriber .. ':', id .. '-' .. generation
  redis.call('ZREM', queue .. 'delayed', job_id)
  if redis.call('EXISTS', queue .. job_id .. ':lock') == 0 then redis.call('DEL', queue .. job_id) end
end
