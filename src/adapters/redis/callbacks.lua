-- A page of a merchant's callbacks, latest first, from an entry on.
local merchant, from, limit = take(), take(), tonumber(take())
local page = {}
for number, entry in ipairs(redis.call('XREVRANGE', prefix .. 'callbacks:' .. merchant, from, '-', 'COUNT', limit)) do
    page[number] = {entry[1], entry[2][2], entry[2][4]}
end
return {'done', page}
