--[[
  Turns what tasks know of deleted events into compact claims: an earlier release
  left it with the task, and an import puts it there.

  Works on a full Redis too: its first write frees memory, and a full Redis
  refuses a script's first write only.

  KEYS  1 claims, then the tasks
  ARGV  1 prefix  2 dedupe window in milliseconds
        3 "begin" with the first tasks, "end" with the last ones: every task has been read, unless something was
          imported meanwhile; "" between
  Returns  nothing
]]
--- @include delivery.lua
--- @include delete-event.lua
local prefix, window, place = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local now = now_ms()
redis.call('HDEL', KEYS[1], 'x')
if place == 'begin' then redis.call('HSET', KEYS[1], 'gathered', 'not yet') end
for at = 2, #KEYS do tidy_task(prefix, window, now, KEYS[at], true) end
save_claims(prefix)
if place == 'end' and redis.call('HEXISTS', KEYS[1], 'gathered') == 1 then redis.call('HSET', KEYS[1], 'gathered', 'all') end
