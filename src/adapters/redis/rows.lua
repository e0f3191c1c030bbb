-- A page of a store that nobody serves, as rows.
local ask = {}
-- Keys of a kind, some of them several times: all of the server's are gone through.
function ask.keys(what, cursor)
    local found = redis.call('SCAN', cursor, 'MATCH', prefix .. what .. '*', 'COUNT', 1000)
    local page = {found[1]}
    for number, key in ipairs(found[2]) do
        page[number + 1] = string.sub(key, #prefix + #what + 1)
    end
    return page
end
function ask.size(what)
    local key = prefix .. what
    local kind = redis.call('TYPE', key)['ok']
    local count = ({zset = 'ZCARD', stream = 'XLEN', hash = 'HLEN'})[kind]
    return {count and redis.call(count, key) or 0}
end
function ask.aggregates(of, from, limit)
    local page = {}
    for number, id in ipairs(redis.call('ZRANGEBYLEX', prefix .. 'ids:' .. of, from, '+', 'LIMIT', 0, limit)) do
        local held = redis.call('HMGET', prefix .. 'aggregate:' .. of .. id, 'version', 'state', 'wake', 'ready', 'labels')
        page[number] = {id, unpack(held)}
    end
    return {page}
end
function ask.claims(of, cursor)
    local found = redis.call('HSCAN', prefix .. 'claims:' .. of, cursor, 'COUNT', 500)
    return {found[1], unpack(found[2])}
end
function ask.answers(from, limit)
    local page = {}
    for number, member in ipairs(redis.call('ZRANGEBYLEX', prefix .. 'given', from, '+', 'LIMIT', 0, limit)) do
        page[number] = {member, redis.call('GET', prefix .. 'answer:' .. string.sub(member, 17))}
    end
    return {page}
end
function ask.callbacks(merchant, from, limit)
    local page = {}
    for number, entry in ipairs(redis.call('XRANGE', prefix .. 'callbacks:' .. merchant, from, '+', 'COUNT', limit)) do
        page[number] = {entry[1], entry[2][2], entry[2][4]}
    end
    return {page}
end
function ask.counters()
    return redis.call('HGETALL', prefix .. 'counters')
end
function ask.moved()
    return {redis.call('HGET', KEYS[1], 'moved')}
end
local what = take()
return {'done', unpack(ask[what](take(), take(), take()))}
