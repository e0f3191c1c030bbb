-- The last event, or the last that is not after a position.
local at = take()
local heard = {witness()}
local position, event = 0, ''

local function look(merchant, upto)
    local entry = redis.call('XREVRANGE', prefix .. 'events:' .. merchant, upto, '-', 'COUNT', 1)[1]
    local found = entry and tonumber(string.match(entry[1], '^%d+'))
    if found and found > position then
        position, event = found, entry[2][8]
    end
end

if at == '' or tonumber(at) >= tonumber(heard[3]) then
    look(redis.call('HGET', KEYS[1], 'latest') or '', '+')
else
    for _, merchant in ipairs(redis.call('SMEMBERS', prefix .. 'merchants')) do
        look(merchant, at)
    end
end
heard[#heard + 1] = string.format('%.0f', position)
heard[#heard + 1] = event
heard[#heard + 1] = redis.call('HGET', KEYS[1], 'moved')
return {'done', unpack(heard)}
