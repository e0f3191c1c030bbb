-- Before every script. KEYS[1] is the store's own record, so that a server that does not hold the store says so before
-- anything runs. ARGV[1] is the store that is meant: in an emptied or another one nothing is read, and nothing written.
local prefix = string.sub(KEYS[1], 1, -5)
local given = 1
local function take()
    given = given + 1
    return ARGV[given]
end
-- Which process answers, which history it goes on with, and how far that has come.
local function witness()
    local info = redis.call('INFO', 'server', 'replication')
    return string.match(info, 'run_id:(%x+)'), string.match(info, 'master_replid:(%x+)'),
        redis.call('HGET', KEYS[1], 'position')
end
if redis.call('HGET', KEYS[1], 'store') ~= ARGV[1] then
    return {'gone'}
end
