-- Forgets a page of the answers given before an instant.
local INSTANT = 16
local before, limit = take(), tonumber(take())
local members = redis.call('ZRANGEBYLEX', prefix .. 'given', '-', before, 'LIMIT', 0, limit)
for _, member in ipairs(members) do
    redis.call('EXISTS', prefix .. 'answer:' .. string.sub(member, INSTANT + 1))
end
for _, member in ipairs(members) do
    redis.call('DEL', prefix .. 'answer:' .. string.sub(member, INSTANT + 1))
    redis.call('ZREM', prefix .. 'given', member)
end
return {'done', #members == limit and 'more' or 'end'}
