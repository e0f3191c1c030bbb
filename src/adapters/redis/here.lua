-- Before every script that changes something, behind what is before all: a store that was moved is changed no more, also by
-- a gateway that slept through it.
local moved = redis.call('HGET', KEYS[1], 'moved')
if moved then
    return {'moved', moved}
end
