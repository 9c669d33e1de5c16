--[[
  The claims of deleted events, in as few bytes as a correct answer needs;
  included, never run.

  A claim is in the bucket of its time, and a bucket is removed as a whole. Each
  bucket is spread over many small hashes, the shards, which Redis stores packed:

    claims               HASH: the list of buckets
      b:<bucket>         "from till last shards claims": its times (till is exclusive; last is that of its latest
                         claim) in milliseconds, and its number of shards and claims
      d:<bucket>         a bucket that is being deleted: how many shards are left
      bucket             the last number that was given to a bucket
      most               maximum number of claims; missing if there is no limit
      forgotten          claims from before this time, milliseconds, were given up
      gathered           "all" if no task knows of deleted events, see collect-claims.lua
    claims:<bucket>:<n>  HASH, a shard:
      name of a task     the first claim of the task in this bucket: its content, its event; then the
                         last revisions by status that this bucket knows, "1,2=3"; 1 is the default
      name of a claim    any further claim of the task: its event

  Names and contents are 16 bytes of a SHA-1, an event is 16 bytes; nothing is
  cut further, see ADR 0019. A claim is in force for the window from its time,
  and until its bucket is removed: at most a sixth longer.
]]
local BUCKETS_IN_WINDOW = 6
-- Milliseconds; a shorter window does not need more buckets.
local SHORTEST_BUCKET = 1000
-- Average entries per shard: few enough for every server to store packed and to search in a microsecond.
local PER_SHARD = 40
-- One bucket has at most this part of all allowed claims; otherwise giving it up would forget too much.
local PART_IN_BUCKET = 1 / 8

local function digest_of(text)
  local hex = redis.sha1hex(text)
  return struct.pack('>I6I6I4', tonumber(string.sub(hex, 1, 12), 16), tonumber(string.sub(hex, 13, 24), 16), tonumber(string.sub(hex, 25, 32), 16))
end

-- The id of an event: two characters, then three groups of eight, with five bits each. Any other form is kept unchanged.
local CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
local LUA_DIGIT = {
  A = 'a', B = 'b', C = 'c', D = 'd', E = 'e', F = 'f', G = 'g', H = 'h', J = 'i', K = 'j', M = 'k', N = 'l', P = 'm', Q = 'n',
  R = 'o', S = 'p', T = 'q', V = 'r', W = 's', X = 't', Y = 'u', Z = 'v', I = '~', L = '~', O = '~', U = '~'
}
local AS_IT_IS = '\255'

local function packed_id(id)
  local text = string.sub(id, 5)
  local digits = string.gsub(text, '%u', LUA_DIGIT)
  local head = tonumber(string.sub(digits, 1, 2), 32)
  if #text ~= 26 or string.find(digits, '~', 1, true) or head > 254 then return AS_IT_IS .. text end
  return struct.pack('>I1I5I5I5', head, tonumber(string.sub(digits, 3, 10), 32), tonumber(string.sub(digits, 11, 18), 32), tonumber(string.sub(digits, 19), 32))
end

-- Length of the packed id that begins at this position.
local function size_of_id(value, at)
  return string.sub(value, at, at) == AS_IT_IS and 27 or 16
end

local function unpacked_id(packed)
  if string.sub(packed, 1, 1) == AS_IT_IS then return 'evt_' .. string.sub(packed, 2) end
  local letters, bytes, at = { string.byte(CROCKFORD, 1, 32) }, {}, 26
  local parts = { struct.unpack('>I1I5I5I5', packed) }
  for part = 4, 1, -1 do
    local number = parts[part]
    for _ = 1, part == 1 and 2 or 8 do
      local digit = number % 32
      bytes[at], at, number = letters[digit + 1], at - 1, (number - digit) / 32
    end
  end
  return 'evt_' .. string.char(unpack(bytes, 1, 26))
end

-- Read once per run, the latest first.
local buckets, most_claims, forgotten

local function load_buckets(prefix)
  if buckets then return end
  buckets, forgotten = {}, 0
  local list = redis.call('HGETALL', prefix .. 'claims')
  for i = 1, #list, 2 do
    local name, value = list[i], list[i + 1]
    if string.sub(name, 1, 2) == 'b:' then
      local from, till, last, shards, claims = string.match(value, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
      local bucket = {
        number = string.sub(name, 3), from = tonumber(from), till = tonumber(till), last = tonumber(last),
        shards = tonumber(shards), claims = tonumber(claims), whole = 1
      }
      while bucket.whole * 2 <= bucket.shards do bucket.whole = bucket.whole * 2 end
      buckets[#buckets + 1] = bucket
    elseif name == 'most' then
      most_claims = tonumber(value)
    elseif name == 'forgotten' then
      forgotten = tonumber(value)
    end
  end
  table.sort(buckets, function(a, b) return a.last > b.last end)
end

local function save_bucket(prefix, bucket)
  redis.call('HSET', prefix .. 'claims', 'b:' .. bucket.number,
    string.format('%.0f %.0f %.0f %.0f %.0f', bucket.from, bucket.till, bucket.last, bucket.shards, bucket.claims))
end

local function shard_at(prefix, bucket, at)
  return prefix .. 'claims:' .. bucket.number .. ':' .. at
end

-- The position of a name if there were endlessly many shards.
local function number_of(name)
  return (struct.unpack('>I4', name))
end

-- Shards are added one at a time: those up to `whole`, a power of two, and those that have been divided since.
local function place_of(bucket, number)
  local at = number % (2 * bucket.whole)
  return at < bucket.shards and at or at - bucket.whole
end

local function shard_of(prefix, bucket, name)
  return shard_at(prefix, bucket, place_of(bucket, number_of(name)))
end

-- Divides the next shard in two.
local function divide(prefix, bucket)
  local old = bucket.shards - bucket.whole
  local entries = redis.call('HGETALL', shard_at(prefix, bucket, old))
  bucket.shards = bucket.shards + 1
  if bucket.shards == 2 * bucket.whole then bucket.whole = bucket.shards end
  save_bucket(prefix, bucket)
  local stay, go = {}, {}
  for i = 1, #entries, 2 do
    local list = place_of(bucket, number_of(entries[i])) == old and stay or go
    list[#list + 1], list[#list + 2] = entries[i], entries[i + 1]
  end
  redis.call('DEL', shard_at(prefix, bucket, old))
  if #stay > 0 then redis.call('HSET', shard_at(prefix, bucket, old), unpack(stay)) end
  if #go > 0 then redis.call('HSET', shard_at(prefix, bucket, bucket.shards - 1), unpack(go)) end
end

local function add_bucket(prefix, from, till, at)
  local bucket = {
    number = string.format('%.0f', redis.call('HINCRBY', prefix .. 'claims', 'bucket', 1)),
    from = from, till = till, last = at, shards = 1, claims = 0, whole = 1
  }
  buckets[#buckets + 1] = bucket
  return bucket
end

-- The bucket for claims of a time. A bucket of another window length is not used if it would keep them for much too long;
-- a bucket that has its maximum part ends.
local function bucket_for(prefix, window, at)
  local length = math.max(SHORTEST_BUCKET, math.ceil(window / BUCKETS_IN_WINDOW))
  for _, bucket in ipairs(buckets) do
    if bucket.from <= at and at < bucket.till and bucket.till - bucket.from <= 2 * length then
      if not most_claims or bucket.claims < most_claims * PART_IN_BUCKET then return bucket end
      bucket.till = bucket.last + 1
      save_bucket(prefix, bucket)
    end
  end
  local from = at - at % length
  return add_bucket(prefix, from, from + length, at)
end

-- Names differ for tasks, claims and tests: no task id has a line break.
local function task_name(prefix, task)
  return digest_of(string.sub(task, #prefix + 1))
end

local function claim_name(prefix, task, status, digest)
  return digest_of(string.sub(task, #prefix + 1) .. '\n' .. status .. ':' .. digest)
end

-- A status and its last revision; the reverse of REVISIONS, where a missing number means 1.
local REVISIONS = '(-?%d+)=?(%d*)'
local function revision_of(status, last)
  return last == 1 and status or (status .. '=' .. last)
end

local function raised(revisions, status, revision)
  local list, known = {}, false
  for other, text in string.gmatch(revisions, REVISIONS) do
    local last = tonumber(text) or 1
    if other == status then last, known = math.max(last, revision), true end
    list[#list + 1] = revision_of(other, last)
  end
  if not known then list[#list + 1] = revision_of(status, revision) end
  return table.concat(list, ',')
end

local function count_claim(prefix, bucket, at)
  bucket.claims = bucket.claims + 1
  bucket.last = math.max(bucket.last, at)
  bucket.changed = true
  if bucket.claims > bucket.shards * PER_SHARD then divide(prefix, bucket) end
end

-- Copies an entry of another record into a bucket of these times; an existing one stays.
local function copy_claim(prefix, times, name, entry)
  local bucket
  for _, other in ipairs(buckets) do
    if other.from == times.from and other.till == times.till then bucket = other end
  end
  bucket = bucket or add_bucket(prefix, times.from, times.till, times.last)
  if redis.call('HSETNX', shard_of(prefix, bucket, name), name, entry) == 1 then count_claim(prefix, bucket, times.last) end
end

-- Puts a claim into a bucket: {task (its key), status, digest, event, revision, at}. An existing one stays.
local function add_claim(prefix, bucket, claim)
  local name = task_name(prefix, claim.task)
  local content = digest_of(claim.status .. ':' .. claim.digest)
  local shard = shard_of(prefix, bucket, name)
  local entry = content .. packed_id(claim.event) .. revision_of(claim.status, claim.revision)
  if redis.call('HSETNX', shard, name, entry) == 0 then
    local first = redis.call('HGET', shard, name)
    local revisions = 17 + size_of_id(first, 17)
    redis.call('HSET', shard, name, string.sub(first, 1, revisions - 1) .. raised(string.sub(first, revisions), claim.status, claim.revision))
    if string.sub(first, 1, 16) == content then return end
    name = claim_name(prefix, claim.task, claim.status, claim.digest)
    if redis.call('HSETNX', shard_of(prefix, bucket, name), name, packed_id(claim.event)) == 0 then return end
  end
  count_claim(prefix, bucket, claim.at)
end

-- Remembers the claim of a deleted event; save_claims must follow. Skips claims whose window has ended, or that are
-- older than claims that were given up. Never the first write of a script: a full Redis would refuse it.
local function remember(prefix, window, now, claim)
  if now - claim.at >= window then return end
  load_buckets(prefix)
  if claim.at < forgotten then return end
  add_claim(prefix, bucket_for(prefix, window, claim.at), claim)
end

local function save_claims(prefix)
  for _, bucket in ipairs(buckets or {}) do
    if bucket.changed then save_bucket(prefix, bucket) end
    bucket.changed = false
  end
end

-- What is remembered of a task: the event that has claimed a content, the last revision of its status, the final statuses
-- (",1,2"). Nothing, 0 and "" if unknown.
local function recall(prefix, window, now, task, status, digest)
  load_buckets(prefix)
  local revision, finals = 0, ''
  if #buckets == 0 then return nil, revision, finals end
  local name, content, further, event = task_name(prefix, task)
  local number = number_of(name)
  for _, bucket in ipairs(buckets) do
    if now - bucket.last < window then
      local first = redis.call('HGET', shard_at(prefix, bucket, place_of(bucket, number)), name)
      if first then
        content = content or digest_of(status .. ':' .. digest)
        local revisions = 17 + size_of_id(first, 17)
        if string.sub(first, 1, 16) == content then
          event = event or unpacked_id(string.sub(first, 17, revisions - 1))
        elseif not event then
          further = further or claim_name(prefix, task, status, digest)
          local packed = redis.call('HGET', shard_of(prefix, bucket, further), further)
          event = packed and unpacked_id(packed) or nil
        end
        for known, last in string.gmatch(string.sub(first, revisions), REVISIONS) do
          if known == status then revision = math.max(revision, tonumber(last) or 1) end
          if known ~= '0' and known ~= '-1' and not string.find(finals .. ',', ',' .. known .. ',', 1, true) then finals = finals .. ',' .. known end
        end
      end
    end
  end
  return event, revision, finals
end

-- Ends a bucket at once; delete_shards deletes its shards.
local function end_bucket(prefix, bucket)
  for at, other in ipairs(buckets) do
    if other == bucket then table.remove(buckets, at) break end
  end
  redis.call('HDEL', prefix .. 'claims', 'b:' .. bucket.number)
  redis.call('HSET', prefix .. 'claims', 'd:' .. bucket.number, string.format('%.0f', bucket.shards))
end

-- Gives the oldest bucket up: duplicates of its claims are no longer recognised. Returns how many claims it had.
local function give_up_oldest(prefix)
  local oldest
  for _, bucket in ipairs(buckets) do
    if not oldest or bucket.last < oldest.last then oldest = bucket end
  end
  forgotten = math.max(forgotten, oldest.last + 1)
  redis.call('HDEL', prefix .. 'claims', 'x')
  redis.call('HSET', prefix .. 'claims', 'forgotten', string.format('%.0f', forgotten))
  redis.call('HINCRBY', prefix .. 'stats', 'claimsGivenUp', oldest.claims)
  end_bucket(prefix, oldest)
  return oldest.claims
end

-- Deletes shards of ended buckets. Returns how many it deleted; fewer than `most` if none is left.
local function delete_shards(prefix, most)
  local deleted = 0
  local list = redis.call('HGETALL', prefix .. 'claims')
  for i = 1, #list, 2 do
    if deleted == most then break end
    if string.sub(list[i], 1, 2) == 'd:' then
      local number, left = string.sub(list[i], 3), tonumber(list[i + 1])
      while left > 0 and deleted < most do
        left, deleted = left - 1, deleted + 1
        redis.call('UNLINK', shard_at(prefix, { number = number }, left))
      end
      if left == 0 then
        redis.call('HDEL', prefix .. 'claims', list[i])
      else
        redis.call('HSET', prefix .. 'claims', list[i], string.format('%.0f', left))
      end
    end
  end
  return deleted
end
