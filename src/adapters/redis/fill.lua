-- Rows of a copy, put where commits would have put them, between its beginning and its end.
local what = take()
if what == 'begin' then
    redis.call('HSET', KEYS[1], 'incomplete', '1')
    return {'done'}
elseif redis.call('HGET', KEYS[1], 'incomplete') ~= '1' then
    return {'whole'}
elseif what == 'end' then
    redis.call('HDEL', KEYS[1], 'incomplete')
    return {'done'}
end

local put = {}
function put.aggregate()
    local of, id, version, state = take(), take(), take(), take()
    local wake, ready, labels = take(), take(), take()
    redis.call('HSET', prefix .. 'aggregate:' .. of .. id, 'version', version, 'state', state, 'wake', wake,
        'ready', ready, 'labels', labels)
    redis.call('ZADD', prefix .. 'ids:' .. of, 0, id)
    index(prefix .. 'due', wake .. ':' .. of .. id, false, wake ~= '')
    index(prefix .. 'ready:' .. of, id, false, ready ~= '')
    for label, name in pairs(labels_in(labels)) do
        redis.call('ZADD', prefix .. 'label:' .. of .. label, 0, id)
        redis.call('ZADD', prefix .. 'values:' .. of .. name, 0, string.sub(label, #name + 2))
    end
end
function put.event()
    local position, merchant, kind, id, version, event = take(), take(), take(), take(), take(), take()
    redis.call('XADD', prefix .. 'events:' .. merchant, position .. '-0', 'kind', kind, 'id', id, 'version', version,
        'event', event)
    redis.call('RPUSH', prefix .. 'history:' .. merchant .. ':' .. kind .. ':' .. id, position)
    redis.call('SADD', prefix .. 'merchants', merchant)
    if tonumber(position) > tonumber(redis.call('HGET', KEYS[1], 'position')) then
        redis.call('HSET', KEYS[1], 'position', position, 'latest', merchant)
    end
end
function put.claim()
    redis.call('HSET', prefix .. 'claims:' .. take(), take(), take())
end
function put.answer()
    local key, given_at, packed = take(), take(), take()
    redis.call('SET', prefix .. 'answer:' .. key, packed)
    redis.call('ZADD', prefix .. 'given', 0, given_at .. key)
end
function put.callback()
    local merchant, order, header, sealed = take(), take(), take(), take()
    local number = string.format('%.0f-0', redis.call('HINCRBY', KEYS[1], 'callbacks', 1))
    redis.call('XADD', prefix .. 'callbacks:' .. merchant, number, 'header', header, 'sealed', sealed)
    if order == '' then
        redis.call('RPUSH', prefix .. 'strays:' .. merchant, number)
    end
end
function put.counter()
    redis.call('HSET', prefix .. 'counters', take(), take())
end
for _ = 1, tonumber(what) do
    put[take()]()
end
return {'done'}
