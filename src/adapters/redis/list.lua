-- A page of aggregates in the order of their ids: all of a kind, those with some labels, or those that are ready. The
-- index with the fewest ids is read, and each id looked up in the others. Work and answer are bounded; whoever asks goes
-- on from the last id that was looked at.
local SCANNED, CHUNK, BYTES = 1000, 100, 1048576
local of, from, limit, latest = take(), take(), tonumber(take()), take()
local indexes = {prefix .. (latest == '' and 'ids:' or 'ready:') .. of}
for number = 1, tonumber(take()) do
    indexes[number + (latest == '' and 0 or 1)] = prefix .. 'label:' .. of .. take()
end
local fewest = 1
for number = 2, #indexes do
    if redis.call('ZCARD', indexes[number]) < redis.call('ZCARD', indexes[fewest]) then
        fewest = number
    end
end
local base = table.remove(indexes, fewest)

local function in_all(id)
    for _, index in ipairs(indexes) do
        if not redis.call('ZSCORE', index, id) then
            return false
        end
    end
    return true
end

local page, found, bytes, scanned, last = {}, 0, 0, 0, ''
while scanned < SCANNED do
    local ids = redis.call('ZRANGEBYLEX', base, from, '+', 'LIMIT', 0, CHUNK)
    for _, id in ipairs(ids) do
        last = id
        local held = in_all(id) and redis.call('HMGET', prefix .. 'aggregate:' .. of .. id, 'version', 'state', 'ready')
        if held and (latest == '' or tonumber(held[3]) <= tonumber(latest)) then
            found, bytes = found + 1, bytes + #held[2]
            page[3 * found - 2], page[3 * found - 1], page[3 * found] = id, held[1], held[2]
            if found == limit or bytes >= BYTES then
                return {'done', 'more', last, unpack(page)}
            end
        end
    end
    if #ids < CHUNK then
        return {'done', 'end', last, unpack(page)}
    end
    scanned, from = scanned + #ids, '(' .. last
end
return {'done', 'more', last, unpack(page)}
