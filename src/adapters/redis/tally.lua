-- How many aggregates have each value of a label, of the values between two texts.
local of, name, from, to = take(), take(), take(), take()
local counts = {}
for _, value in ipairs(redis.call('ZRANGEBYLEX', prefix .. 'values:' .. of .. name, from, to)) do
    counts[#counts + 1] = {value, redis.call('ZCARD', prefix .. 'label:' .. of .. name .. ':' .. value)}
end
return {'done', counts}
