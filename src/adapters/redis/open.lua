-- Makes the store where there is none, and says what it is.
if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'mode', ARGV[2], 'store', ARGV[3], 'position', '0')
end
return redis.call('HMGET', KEYS[1], 'schema', 'mode', 'store', 'incomplete', 'moved')
