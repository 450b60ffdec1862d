-- Batches: the imports of a run, and the jobs that it got one by one. Only visible ones are ever read.

local function new_batch(campaign, run)
  local batch = call('INCR', P .. 'batches')
  call('HSET', P .. 'batch:' .. batch, 'campaign', campaign, 'run', run)
  return batch
end

local function show_batch(batch, run)
  call('SADD', P .. 'visible', batch)
  call('ZADD', P .. 'shown:' .. run, batch, batch)
end

local function know_run(run, campaign)
  call('HSETNX', P .. 'run:' .. run, 'campaign', campaign)
  call('SADD', P .. 'runs:' .. campaign, run)
end

-- The reply kept for an idempotency key, if it is younger than a day.
local function known_reply(name, now)
  local known = call('GET', P .. 'reply:' .. name)
  if known and tonumber(string.sub(known, 1, 16)) > now - 86400000000 then return string.sub(known, 17) end
end

-- Kept an hour longer than it counts, so that a clock that is turned back finds it again.
local function keep_reply(name, value)
  call('SET', P .. 'reply:' .. name, value, 'PX', 90000000)
end
