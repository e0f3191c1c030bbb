-- The next block of a counter. What is too little for it before the last number is skipped. All are below 2^33, which
-- Lua's numbers hold exactly.
local counter, start, last, count = take(), tonumber(take()), tonumber(take()), tonumber(take())
local first = tonumber(redis.call('HGET', prefix .. 'counters', counter) or start)
if first + count - 1 > last then
    first = 1
end
redis.call('HSET', prefix .. 'counters', counter, string.format('%.0f', first + count))
return {'done', string.format('%.0f', first)}
