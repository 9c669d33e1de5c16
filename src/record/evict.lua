--[[
  Frees memory when it is short, in this order:

    finished events, before their retention ends, the oldest first
    claims of deleted events, by buckets, the oldest first, but not the latest bucket
    finished events with a failed delivery, which an operator may want to replay
    the latest claims, when hardly any memory is left

  Claims that take hardly any memory stay.

  Works on a full Redis too: its first write frees memory, and a full Redis
  refuses a script's first write only.

  KEYS  1 ended  2 ended-failed  3 stats
  ARGV  1 prefix  2 dedupe window in milliseconds
        3 begins above this share of the memory  4 ends at or below this share
        5 how many at most  6 hardly any memory is left above this share
  Returns  {bytes used now, bytes that may be used, how many were deleted, how many of these had a failed delivery,
           how many events and shards were looked at, how many claims were given up, before which time they were, milliseconds
           (0: none ever were)}; {} if the memory is unknown
]]
--- @include delivery.lua
--- @include delete-event.lua
--- @include ../redis/memory.lua
--- @constant CLAIM_BYTES
local prefix, most_events = ARGV[1], tonumber(ARGV[5])
local begins, ends = tonumber(ARGV[3]), tonumber(ARGV[4])
local used, most = read_memory()
if not used then return {} end

local now, window = now_ms(), tonumber(ARGV[2])

-- Reading the memory costs as much as deleting a small event, so it is read after this many events, or this many bytes.
local PROBE_AFTER, PROBE_AFTER_BYTES = 10, 65536
local unseen, unseen_bytes = 0, 0
local function probe(size)
  unseen, unseen_bytes = unseen + 1, unseen_bytes + size
  if unseen < PROBE_AFTER and unseen_bytes < PROBE_AFTER_BYTES then return end
  used, unseen, unseen_bytes = read_memory(), 0, 0
end

local deleted, looked_at, given_up = { 0, 0 }, 0, 0
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

-- Claims that take less than this share of the memory free too little when they are deleted.
local WORTH_GIVING_UP = 0.01
local function claims_are_worth_it()
  local claims = 0
  for _, bucket in ipairs(buckets) do claims = claims + bucket.claims end
  return claims * CLAIM_BYTES >= most * WORTH_GIVING_UP
end

-- Ended buckets are deleted before more are ended, because they free memory already.
local function delete_claims(kept, share)
  while looked_at < most_events and used > most * share do
    local shards = delete_shards(prefix, most_events - looked_at)
    looked_at = looked_at + shards
    if shards > 0 then
      used = read_memory()
    elseif #buckets > kept and claims_are_worth_it() then
      given_up = given_up + give_up_oldest(prefix)
    else
      return
    end
  end
end

if used > most * begins then
  load_buckets(prefix)
  delete_oldest(1)
  forget_events(prefix, window, now)
  delete_claims(1, ends)
  if looked_at < most_events then delete_oldest(2) end
  forget_events(prefix, window, now)
  delete_claims(0, tonumber(ARGV[6]))
end
local all = deleted[1] + deleted[2]
if all > 0 then redis.call('HINCRBY', KEYS[3], 'deletedEarly', all) end
if deleted[2] > 0 then redis.call('HINCRBY', KEYS[3], 'failedDeletedEarly', deleted[2]) end
used = read_memory()
return { used, most, all, deleted[2], looked_at, given_up, forgotten or 0 }
