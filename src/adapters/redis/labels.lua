-- What an aggregate is found by.
local function labels_in(packed)
    local labels = {}
    for name, value in string.gmatch(packed, '([^:]*):([^:]*):') do
        labels[name .. ':' .. value] = name
    end
    return labels
end

local function index(key, id, had, has)
    if has and not had then
        redis.call('ZADD', key, 0, id)
    elseif had and not has then
        redis.call('ZREM', key, id)
    end
end
