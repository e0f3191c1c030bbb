-- One aggregate, the owner of one claim, or one answer.
local what = take()
if what == 'aggregate' then
    return {'done', unpack(redis.call('HMGET', prefix .. 'aggregate:' .. take(), 'version', 'state'))}
elseif what == 'owner' then
    return {'done', redis.call('HGET', prefix .. 'claims:' .. take(), take())}
end
return {'done', redis.call('GET', prefix .. 'answer:' .. take())}
