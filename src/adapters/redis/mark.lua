-- The last event, or the last that is not after a position.
local at = take()
local run, history, latest, role, online, good = witness()
local position, event = 0, ''

local function look(merchant, upto)
    local entry = redis.call('XREVRANGE', prefix .. 'events:' .. merchant, upto, '-', 'COUNT', 1)[1]
    local found = entry and tonumber(string.match(entry[1], '^%d+'))
    if found and found > position then
        position, event = found, entry[2][8]
    end
end

if at == '' or tonumber(at) >= tonumber(latest) then
    look(redis.call('HGET', KEYS[1], 'latest') or '', '+')
else
    for _, merchant in ipairs(redis.call('SMEMBERS', prefix .. 'merchants')) do
        look(merchant, at)
    end
end
return {'done', run, history, latest, role, online, good, string.format('%.0f', position), event,
    redis.call('HGET', KEYS[1], 'moved')}
