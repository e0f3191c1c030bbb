-- Keeps a callback, and of those of the merchant that belong to no order the latest few.
local merchant, header, sealed, most = take(), take(), take(), tonumber(take())
local kept, strays = prefix .. 'callbacks:' .. merchant, prefix .. 'strays:' .. merchant
redis.call('EXISTS', kept)
redis.call('EXISTS', strays)
local number = string.format('%.0f-0', redis.call('HINCRBY', KEYS[1], 'callbacks', 1))
redis.call('XADD', kept, number, 'header', header, 'sealed', sealed)
redis.call('RPUSH', strays, number)
while redis.call('LLEN', strays) > most do
    redis.call('XDEL', kept, redis.call('LPOP', strays))
end
return {'done'}
