--[[
  What can be told of an event's deliveries when its row cannot be read; included, never run.
]]

-- A count, a time or a place as the record writes it.
local function is_whole(text)
  return text and string.match(text, '^%d+$') and #text <= 16
end

local function is_listed(subs, subscriber)
  return string.find(',' .. (subs or '') .. ',', ',' .. subscriber .. ',', 1, true) ~= nil
end

local function subscribers_of(event, subs)
  local names = {}
  if subs then
    for name in string.gmatch(subs, '[^,]+') do names[#names + 1] = name end
  else
    for _, field in ipairs(redis.call('HKEYS', event)) do names[#names + 1] = string.match(field, '^d:(.+)$') end
  end
  return names
end

-- How many deliveries of an event are open and failed, by the indexes.
local function counts_of(prefix, id, names)
  local open, failed = 0, 0
  for _, name in ipairs(names) do
    if redis.call('ZSCORE', prefix .. 'open:' .. name, id) or redis.call('ZSCORE', prefix .. 'held:' .. name, id) then open = open + 1 end
    if redis.call('ZSCORE', prefix .. 'failed:' .. name, id) then failed = failed + 1 end
  end
  return open, failed
end
