--[[
  Deletes finished events before their retention is over, when memory is short:
  those that ended first go first, and those with a failed delivery when there
  are no others.

  Works on a full Redis too: its first write frees memory, and a full Redis
  refuses a script's first write only.

  KEYS  1 ended  2 ended-failed  3 stats
  ARGV  1 prefix  2 dedupe window in milliseconds
        3 begins when a larger share of the memory is used  4 ends when no larger one is
        5 how many at most
  Returns  {bytes used now, bytes that may be used, how many were deleted, how many of these had a failed delivery,
           how many were looked at}; {} when the memory is not known
]]
--- @include delivery.lua
--- @include delete-event.lua
--- @include ../redis/memory.lua
local prefix, most_events = ARGV[1], tonumber(ARGV[5])
local begins, ends = tonumber(ARGV[3]), tonumber(ARGV[4])
local used, most = read_memory()
if not used then return {} end

-- To probe the memory costs as much as to delete a small event, so it is done after so many, or so many bytes.
local PROBE_AFTER, PROBE_AFTER_BYTES = 10, 65536
local unseen, unseen_bytes = 0, 0
local function probe(size)
  unseen, unseen_bytes = unseen + 1, unseen_bytes + size
  if unseen < PROBE_AFTER and unseen_bytes < PROBE_AFTER_BYTES then return end
  used, unseen, unseen_bytes = read_memory(), 0, 0
end

local deleted, looked_at = { 0, 0 }, 0
local function delete_oldest(which)
  for _, id in ipairs(redis.call('ZRANGE', KEYS[which], 0, most_events - looked_at - 1)) do
    if used <= most * ends then return end
    looked_at = looked_at + 1
    local size = delete_event(prefix, KEYS[which], id)
    if size then
      deleted[which] = deleted[which] + 1
      probe(size)
    end
  end
end

if used > most * begins then
  delete_oldest(1)
  if looked_at < most_events then delete_oldest(2) end
  forget_claims(prefix, tonumber(ARGV[2]), now_ms())
end
local all = deleted[1] + deleted[2]
if all > 0 then redis.call('HINCRBY', KEYS[3], 'deletedEarly', all) end
if deleted[2] > 0 then redis.call('HINCRBY', KEYS[3], 'failedDeletedEarly', deleted[2]) end
return { read_memory(), most, all, deleted[2], looked_at }
