--[[
  Removes claims whose window has ended, whole buckets at a time, and gives up the
  oldest while there are too many.

  Works on a full Redis too: its first write frees memory, and a full Redis
  refuses a script's first write only.

  KEYS  1 claims  2 stats
  ARGV  1 prefix  2 dedupe window in milliseconds
        3 maximum bytes of claims; "" for a part of Redis's memory, if that has a limit
        4 that part  5 bytes of one claim  6 how many shards to delete at most
  Returns  {how many claims were given up, how many shards were deleted, how many claims there are,
           how many there may be (-1: no limit), before which time they were given up (0: none were), milliseconds,
           whether tasks must be read, see collect-claims.lua (1 or 0)}
]]
--- @include delivery.lua
--- @include claims.lua
--- @include ../redis/memory.lua
local prefix, window, bytes_each = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[5])
local now = now_ms()
load_buckets(prefix)

local function limit()
  local bytes = tonumber(ARGV[3])
  if not bytes then
    local _, most = read_memory()
    bytes = most and most * tonumber(ARGV[4])
  end
  return bytes and math.max(1, math.floor(bytes / bytes_each))
end

local over = {}
for _, bucket in ipairs(buckets) do
  if now - bucket.last >= window then over[#over + 1] = bucket end
end
for _, bucket in ipairs(over) do end_bucket(prefix, bucket) end

local claims, given_up = 0, 0
for _, bucket in ipairs(buckets) do claims = claims + bucket.claims end
local most = limit()
while most and claims - given_up > most do given_up = given_up + give_up_oldest(prefix) end

-- The window of everything that was given up would have ended by now.
if forgotten > 0 and now - forgotten >= window then
  redis.call('HDEL', KEYS[1], 'forgotten')
  forgotten = 0
end
if most ~= most_claims then
  redis.call('HDEL', KEYS[1], 'most')
  if most then redis.call('HSET', KEYS[1], 'most', string.format('%.0f', most)) end
end
local to_gather = redis.call('HGET', KEYS[1], 'gathered') ~= 'all' and redis.call('EXISTS', prefix .. 'importing') == 0
return { given_up, delete_shards(prefix, tonumber(ARGV[6])), claims - given_up, most or -1, forgotten, to_gather and 1 or 0 }
