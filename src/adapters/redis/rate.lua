-- What a name has earned, kept as the microsecond at which nothing will be missing any more: spends the price of what may
-- be saved, or with nothing to be saved takes the next turn. Microseconds since 1970 are below 2^53.
local name, price, saved = take(), tonumber(take()), tonumber(take())
local key = prefix .. 'rate:' .. name
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full_at = math.max(tonumber(redis.call('GET', key) or '0'), now)
local allowed, wait = 'yes', full_at - now
if saved > 0 then
    wait = math.min(wait, saved)
    if wait + price > saved then
        allowed, price = 'no', 0
    end
    full_at = now + wait
end
if price > 0 then
    full_at = full_at + price
    redis.call('SET', key, string.format('%.0f', full_at), 'PX', string.format('%.0f', math.ceil((full_at - now) / 1000) + 1))
end
if saved > 0 then
    wait = full_at - now
end
return {'done', allowed, string.format('%.0f', wait)}
