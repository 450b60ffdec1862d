-- The gate: whether a dial may begin, decided and stored in one step.

local now, origin = clock(optional()), arg()
local due, closes = tonumber(arg()), tonumber(arg())
local held_wait, rest = tonumber(arg()), tonumber(arg())
local lines, own_lines = tonumber(arg()), tonumber(arg())
local most_failed = tonumber(arg())
local day, day_calls = optional(), tonumber(arg())
local spend_cap, spends = tonumber(arg()), tonumber(arg())
local paces = {}
for number = 1, tonumber(arg()) do
  paces[number] = {
    scope = arg(), interval = tonumber(arg()), log = tonumber(arg()), span = tonumber(arg()),
    lateness = tonumber(arg()), longest = tonumber(arg()),
  }
end
local job = read_job()

local before = head_of(job.id)
if not before or before.version ~= job.from or before.status ~= 0 or not is_visible(before) then
  return { 'changed' }
end

-- Not a move: whoever has read the record may still write it.
local function refuse(why, again, detail)
  if again then call('ZADD', P .. 'due:' .. batch_of(before), text(again), job.id) end
  return { why, detail or (again and text(again)) }
end

-- A server that may have forgotten calls must not let them be made again.
if call('GET', P .. 'era') ~= life then return refuse('doubt', now + rest) end
if due > now then return refuse('not_due', due) end
if closes and closes <= now then return { 'closed' } end
if job.campaign then
  local standing = call('GETRANGE', P .. 'campaign:' .. job.campaign, 10, 40)
  if string.sub(standing, 1, 1) ~= '1' then return { 'not_running' } end
  if is_replaced(job.run, string.sub(standing, 2)) then return { 'superseded' } end
end
if call('HEXISTS', P .. 'suppressed', job.phone) == 1 then return { 'suppressed' } end
local holder = call('GET', P .. 'lock:' .. job.phone)
if holder then return refuse('held', now + held_wait, holder) end

local since = '(' .. text(now)
if call('ZCOUNT', P .. 'lines', since, '+inf') >= lines then return refuse('no_line', now + rest) end
if own_lines and call('ZCOUNT', P .. 'lines:' .. job.campaign, since, '+inf') >= own_lines then
  return refuse('no_line', now + rest)
end

-- The arithmetic of pace.rs.
local latest = 0
for _, pace in ipairs(paces) do
  local key = P .. 'pace:' .. pace.scope
  pace.slot = now
  local last = call('LINDEX', key, 0)
  if last then
    local last_at, slot = string.match(last, '(%d+):(%d+)')
    last_at = tonumber(last_at)
    if last_at <= now then
      pace.slot = math.max(tonumber(slot), last_at - pace.lateness) + pace.interval
      local opens = pace.slot
      local first = call('LINDEX', key, pace.log - 1)
      first = first and tonumber(string.match(first, '%d+'))
      if first and first <= now then opens = math.max(opens, first + pace.span) end
      latest = math.max(latest, opens)
    end
  end
end
if latest > now then return refuse('pace', latest) end

local limits = job.campaign and P .. 'limits:' .. job.campaign
if limits then
  local endings, calls = unpack(call('HMGET', limits, 'endings', 'day:' .. (day or '')))
  local _, failed = string.gsub(endings or '', '1', '')
  if failed >= most_failed then return refuse('tripped', now + rest) end
  if day_calls and (tonumber(calls) or 0) >= day_calls then return refuse('daily', now + rest) end
  if spend_cap then
    local cost, reserved = unpack(call('HMGET', P .. 'counts:' .. job.run, 'cost', 'reserved'))
    if (tonumber(cost) or 0) + (tonumber(reserved) or 0) + spends > spend_cap then
      return refuse('budget', now + rest)
    end
  end
end

for _, pace in ipairs(paces) do
  local key = P .. 'pace:' .. pace.scope
  call('LPUSH', key, text(now) .. ':' .. text(pace.slot))
  call('LTRIM', key, 0, pace.longest - 1)
end
if limits and day and call('HINCRBY', limits, 'day:' .. day, 1) == 1 then
  -- Days are forgotten about a month later: a zone that changes must find its own again.
  for _, field in ipairs(call('HKEYS', limits)) do
    local known = tonumber(string.match(field, '^day:(%d+)$'))
    if known and known < day - 10000 then call('HDEL', limits, field) end
  end
end
write_job(job, before)
announce()
tell_job(origin, job)
return { 'go', counted() }
