-- A page of what is due: after the first text, before the second.
local found = redis.call('ZRANGEBYLEX', prefix .. 'due', take(), take(), 'LIMIT', 0, tonumber(take()))
return {'done', unpack(found)}
