-- Notes that the store was moved, if its last event is the last that went along; or that it is back.
local what, position, text = take(), take(), take()
if what == 'back' then
    redis.call('HDEL', KEYS[1], 'moved')
    return {'done'}
end
local latest = redis.call('HGET', KEYS[1], 'latest') or ''
local entry = redis.call('XREVRANGE', prefix .. 'events:' .. latest, '+', '-', 'COUNT', 1)[1]
if (entry and string.match(entry[1], '^%d+') or '0') ~= position then
    return {'changed'}
end
redis.call('HSET', KEYS[1], 'moved', text)
return {'done'}
