--[[
  How far an order has come is noted in the same step as what is done, so that a crash repeats no batch and skips none;
  included, never run.
]]

-- Whether the order of this id, or none for "", may go on: one that was cancelled meanwhile may not.
local function may_go_on(prefix, order)
  return order == '' or redis.call('HGET', prefix .. 'replay:' .. order, 'state') == 'running'
end

-- Counts what was done in `field`, and notes where to go on: a sequence, or "" for where it is.
local function note_progress(prefix, order, field, done, cursor)
  if order == '' then return end
  local key = prefix .. 'replay:' .. order
  redis.call('HINCRBY', key, field, done)
  -- Never back up: a runner that stalled may come after the one that took over.
  local before = tonumber(redis.call('HGET', key, 'cursor') or nil)
  if cursor ~= '' and (not before or cursor < before) then
    redis.call('HSET', key, 'cursor', string.format('%.0f', cursor))
  end
end
