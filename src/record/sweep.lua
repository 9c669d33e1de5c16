--[[
  Deletes events whose retention has ended: the record, the body, the indexes, and
  what their tasks knew of them, except for a claim.

  KEYS  1 ended or ended-failed
  ARGV  1 prefix  2 retention in milliseconds  3 dedupe window in milliseconds  4 how many at most
  Returns  {how many were deleted, how many were looked at}
]]
--- @include delivery.lua
--- @include delete-event.lua
local prefix, now = ARGV[1], now_ms()

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]), 'LIMIT', 0, tonumber(ARGV[4]))
local deleted = 0
for _, id in ipairs(due) do
  if delete_event(prefix, KEYS[1], id) then deleted = deleted + 1 end
end
forget_events(prefix, tonumber(ARGV[3]), now)
return { deleted, #due }
