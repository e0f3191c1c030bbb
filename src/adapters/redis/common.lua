-- Before every script. KEYS[1] is the store's own record, so that a server that does not hold the store says so before
-- anything runs. ARGV[1] is the store that is meant: in an emptied or another one nothing is read, and nothing written.
local prefix = string.sub(KEYS[1], 1, -5)
local given = 1
local function take()
    given = given + 1
    return ARGV[given]
end
-- Which process answers, which history it goes on with, and how far that has come; what its role is, how many replicas
-- follow it, and how many of them have said so in the last three seconds; its clock, in microseconds.
local function witness()
    local info = redis.call('INFO', 'server', 'replication')
    local online, good = 0, 0
    for replica in string.gmatch(info, 'slave%d+:([^\r\n]+)') do
        if string.find(replica, 'state=online', 1, true) then
            online = online + 1
            local lag = tonumber(string.match(replica, 'lag=(%-?%d+)') or '-1')
            if lag >= 0 and lag <= 3 then
                good = good + 1
            end
        end
    end
    local time = redis.call('TIME')
    return string.match(info, 'run_id:(%x+)'), string.match(info, 'master_replid:(%x+)'),
        redis.call('HGET', KEYS[1], 'position'), string.match(info, 'role:(%a+)'), tostring(online), tostring(good),
        time[1] .. string.format('%06d', time[2])
end
if redis.call('HGET', KEYS[1], 'store') ~= ARGV[1] then
    return {'gone'}
end
