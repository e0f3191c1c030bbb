-- A page of the events of one aggregate, from the one of this number on.
local COUNT, BYTES = 100, 1048576
local merchant, kind, id, from = take(), take(), take(), tonumber(take())
local positions = redis.call('LRANGE', prefix .. 'history:' .. merchant .. ':' .. kind .. ':' .. id, from, from + COUNT - 1)
local page, bytes = {}, 0
for number, position in ipairs(positions) do
    local entry = redis.call('XRANGE', prefix .. 'events:' .. merchant, position .. '-0', position .. '-0')[1][2]
    page[number] = {position, merchant, kind, id, entry[6], entry[8]}
    bytes = bytes + #entry[8]
    if bytes >= BYTES then
        return {'done', 'more', page}
    end
end
return {'done', #positions == COUNT and 'more' or 'end', page}
