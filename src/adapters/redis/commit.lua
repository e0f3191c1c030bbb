-- All of a commit, or nothing: Redis undoes nothing, so everything is looked at before anything is written.

-- Only the server that was heard last makes a change, and only while it may not be cut off from its replicas.
local run, history, needed = take(), take(), tonumber(take())
local heard = {witness()}
if heard[1] ~= run or heard[2] ~= history then
    return {'another', '', unpack(heard)}
elseif heard[4] ~= 'master' or tonumber(heard[6]) < needed then
    return {'alone', '', unpack(heard)}
end

-- Of a slot that is being moved, a key that is not here any more is an error when it is touched. What will be written is
-- touched first, so that such an error comes before the first change.
local function touch(key)
    redis.call('EXISTS', key)
end

local function lost(why, detail)
    return {why, detail, unpack(heard)}
end

local answer
if take() == '1' then
    answer = {key = take(), given_at = take(), packed = take()}
    if redis.call('EXISTS', prefix .. 'answer:' .. answer.key) == 1 then
        return lost('answered', '')
    end
    touch(prefix .. 'given')
end

-- As of the writes looked at so far: an aggregate may be written twice, and a claim made twice.
local versions, owners = {}, {}
local writes, claims, callbacks = {}, {}, {}

for number = 1, tonumber(take()) do
    local write = {merchant = take(), kind = take(), id = take(), expected = take(), version = take(), state = take(),
        wake = take(), ready = take(), labels = take(), events = {}}
    for event = 1, tonumber(take()) do
        write.events[event] = take()
    end
    write.of = write.merchant .. ':' .. write.kind .. ':'
    write.key = prefix .. 'aggregate:' .. write.of .. write.id
    local held = redis.call('HMGET', write.key, 'version', 'labels')
    if (versions[write.key] or held[1] or '0') ~= write.expected then
        return lost('conflict', tostring(number))
    end
    versions[write.key] = write.version
    for _, key in ipairs({'due', 'merchants', 'ids:' .. write.of, 'ready:' .. write.of, 'events:' .. write.merchant,
            'history:' .. write.of .. write.id}) do
        touch(prefix .. key)
    end
    for _, packed in ipairs({held[2] or '', write.labels}) do
        for label, name in pairs(labels_in(packed)) do
            touch(prefix .. 'label:' .. write.of .. label)
            touch(prefix .. 'values:' .. write.of .. name)
        end
    end
    writes[number] = write
end

for number = 1, tonumber(take()) do
    local claim = {key = prefix .. 'claims:' .. take(), value = take(), owner = take()}
    local known = owners[claim.key] or {}
    owners[claim.key] = known
    local owner = known[claim.value] or redis.call('HGET', claim.key, claim.value)
    if owner and owner ~= claim.owner then
        return {'taken', tostring(number), owner, unpack(heard)}
    end
    known[claim.value] = claim.owner
    claims[number] = claim
end

for number = 1, tonumber(take()) do
    local callback = {merchant = take(), order = take(), header = take(), sealed = take()}
    touch(prefix .. 'callbacks:' .. callback.merchant)
    touch(prefix .. 'strays:' .. callback.merchant)
    callbacks[number] = callback
end

-- From here on nothing is refused.

local function relabel(write, before)
    local had, has = labels_in(before), labels_in(write.labels)
    for label, name in pairs(had) do
        if not has[label] then
            local key = prefix .. 'label:' .. write.of .. label
            redis.call('ZREM', key, write.id)
            if redis.call('EXISTS', key) == 0 then
                redis.call('ZREM', prefix .. 'values:' .. write.of .. name, string.sub(label, #name + 2))
            end
        end
    end
    for label, name in pairs(has) do
        if not had[label] then
            redis.call('ZADD', prefix .. 'label:' .. write.of .. label, 0, write.id)
            redis.call('ZADD', prefix .. 'values:' .. write.of .. name, 0, string.sub(label, #name + 2))
        end
    end
end

if answer then
    redis.call('SET', prefix .. 'answer:' .. answer.key, answer.packed)
    redis.call('ZADD', prefix .. 'given', 0, answer.given_at .. answer.key)
end

-- Another server than the one that made the latest events may have lost some, whose positions somebody has seen: its own
-- come far behind them. It is done here, with the first of them, because nobody may have met this server yet; and where its
-- clock says, in milliseconds, because a store may go back to the same place twice, and to one long ago.
local maker = run .. '/' .. history
local made_by, position = unpack(redis.call('HMGET', KEYS[1], 'made_by', 'position'))
if made_by ~= maker then
    redis.call('HSET', KEYS[1], 'made_by', maker)
    if position ~= '0' then
        local behind = math.floor(tonumber(heard[7]) / 1000) - tonumber(position)
        redis.call('HINCRBY', KEYS[1], 'position', string.format('%.0f', math.max(behind, 1000000)))
    end
end

for _, write in ipairs(writes) do
    local before = redis.call('HMGET', write.key, 'wake', 'ready', 'labels')
    local wake, ready, labels = before[1] or '', before[2] or '', before[3] or ''
    redis.call('HSET', write.key, 'version', write.version, 'state', write.state, 'wake', write.wake,
        'ready', write.ready, 'labels', write.labels)
    if write.expected == '0' then
        redis.call('ZADD', prefix .. 'ids:' .. write.of, 0, write.id)
    end
    if wake ~= write.wake then
        index(prefix .. 'due', wake .. ':' .. write.of .. write.id, wake ~= '', false)
        index(prefix .. 'due', write.wake .. ':' .. write.of .. write.id, false, write.wake ~= '')
    end
    index(prefix .. 'ready:' .. write.of, write.id, ready ~= '', write.ready ~= '')
    if labels ~= write.labels then
        relabel(write, labels)
    end
    for _, event in ipairs(write.events) do
        local position = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'position', 1))
        redis.call('XADD', prefix .. 'events:' .. write.merchant, position .. '-0', 'kind', write.kind, 'id', write.id,
            'version', write.version, 'event', event)
        redis.call('RPUSH', prefix .. 'history:' .. write.of .. write.id, position)
        redis.call('SADD', prefix .. 'merchants', write.merchant)
        redis.call('HSET', KEYS[1], 'latest', write.merchant)
    end
end

for _, claim in ipairs(claims) do
    redis.call('HSET', claim.key, claim.value, claim.owner)
end

for _, callback in ipairs(callbacks) do
    local number = string.format('%.0f-0', redis.call('HINCRBY', KEYS[1], 'callbacks', 1))
    redis.call('XADD', prefix .. 'callbacks:' .. callback.merchant, number, 'header', callback.header, 'sealed', callback.sealed)
    if callback.order == '' then
        redis.call('RPUSH', prefix .. 'strays:' .. callback.merchant, number)
    end
end

heard[3] = redis.call('HGET', KEYS[1], 'position')
return {'done', '', unpack(heard)}
