--[[
  Writes what an export remembers of deleted events. What is there already stays
  as it is, so the same line may come again.

  KEYS  1 claims
  ARGV  1 prefix  2 from  3 till  4 last: the times of the bucket in the other record, milliseconds
        5… names and entries, see ../record/claims.lua
  Returns  nothing
]]
--- @include ../record/claims.lua
local prefix = ARGV[1]
load_buckets(prefix)
local times = { from = tonumber(ARGV[2]), till = tonumber(ARGV[3]), last = tonumber(ARGV[4]) }
for at = 5, #ARGV, 2 do copy_claim(prefix, times, ARGV[at], ARGV[at + 1]) end
save_claims(prefix)
