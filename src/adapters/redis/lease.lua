-- A lease taken, renewed or given up; the server's own clock ends it.
local what, holder, length = take(), take(), take()
local key = prefix .. 'lease:' .. what
local held = redis.call('GET', key)
if held and held ~= holder then
    return {'done', 'no'}
elseif length ~= '0' then
    redis.call('SET', key, holder, 'PX', length)
elseif held then
    redis.call('DEL', key)
end
return {'done', 'yes'}
