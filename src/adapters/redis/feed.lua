-- A page of events of some merchants after a position, in the order of their commits.
local BYTES = 1048576
local after, limit = take(), tonumber(take())
local items, is_cut = {}, false
for _ = 1, tonumber(take()) do
    local merchant = take()
    local entries = redis.call('XRANGE', prefix .. 'events:' .. merchant, '(' .. after .. '-0', '+', 'COUNT', limit)
    is_cut = is_cut or #entries == limit
    for _, entry in ipairs(entries) do
        local position = string.match(entry[1], '^%d+')
        items[#items + 1] = {position, merchant, entry[2][2], entry[2][4], entry[2][6], entry[2][8]}
    end
end
table.sort(items, function(one, other) return tonumber(one[1]) < tonumber(other[1]) end)
local page, bytes = {}, 0
for _, item in ipairs(items) do
    if #page == limit or bytes >= BYTES then
        is_cut = true
        break
    end
    page[#page + 1], bytes = item, bytes + #item[6]
end
return {'done', is_cut and 'more' or 'end', page}
