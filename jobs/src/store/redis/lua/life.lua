-- Whether this life of the server is sound: see era.rs. Always by the server's own clock.

local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local era = call('GET', P .. 'era') or ''
local epoch = tonumber(call('GET', P .. 'epoch')) or 0

-- The process that asks, and the latest that it was told: in which life, which epoch, and when.
local process, told_life, told_epoch, told_at = arg(), arg(), tonumber(arg()), tonumber(arg())
-- How far behind the last sign of life a forgotten write can be, for how long a process without signs counts as
-- there, and how long its word is waited for.
local margin, recent, patience = tonumber(arg()), tonumber(arg()), tonumber(arg())

local function in_doubt()
  return string.match(era, '^doubt (%x+) (%d+)$')
end

local function become(value)
  era = value
  call('SET', P .. 'era', value)
  if value == life then call('SET', P .. 'beat', text(now)) end
  tell('-', 'gap')
end

-- Whatever was confirmed after `last` may be forgotten. A doubt that reaches further back covers this one.
local function doubt(last)
  local since = math.max(last - margin, 0)
  local known_life, known = in_doubt()
  known = tonumber(known)
  if known_life == life and known <= since then return end
  become('doubt ' .. life .. ' ' .. text(math.min(since, known or since)))
end

-- What this life began with: the epoch, the life before, its last sign of life, and when.
local function birth()
  local born = call('HMGET', P .. 'born', 'life', 'epoch', 'before', 'beat', 'at', 'witness')
  return {
    life = born[1], epoch = tonumber(born[2]) or 0, before = born[3], beat = tonumber(born[4]) or 0,
    at = tonumber(born[5]) or 0, witness = born[6],
  }
end

-- Sound, once somebody who was there in the life before has vouched, and nobody who was is still awaited.
local function settle()
  if era == life or in_doubt() then return end
  local born = birth()
  if born.witness and call('EXISTS', P .. 'awaited') == 0 then
    become(life)
  elseif now - born.at >= patience then
    doubt(born.beat)
  end
end
