-- Adds rows to an open import. Answers for each whether it was taken.

local import = arg()
local open = call('HMGET', P .. 'import:' .. import, 'batch', 'run')
local batch, run = open[1], open[2]
if not batch then return { 'missing', 'import' } end
local rows = tonumber(arg())

local seen = { P .. 'phones:' .. batch }
for _, other in ipairs(call('ZRANGE', P .. 'shown:' .. run, 0, -1)) do
  seen[#seen + 1] = P .. 'phones:' .. other
end

local function is_seen(phone)
  for _, phones in ipairs(seen) do
    if call('SISMEMBER', phones, phone) == 1 then return true end
  end
  return false
end

-- Looked at before anything is written: a row that cannot be taken must not leave half of its neighbours.
local first = at + 1
for row = 0, rows - 1 do
  local known = head_of(ARGV[first + row * 4])
  if known and (is_visible(known) or call('HGET', P .. 'batch:' .. batch_of(known), 'import')) then
    return { 'conflict' }
  end
end

local seq = call('INCRBY', P .. 'seq', rows) - rows
local due, waiting, taken = P .. 'due:' .. batch, P .. 'batch:' .. batch .. ':0', {}
local new = 0
for row = 1, rows do
  local id, phone, ready, record = arg(), arg(), arg(), arg()
  if is_seen(phone) then
    taken[row] = '0'
  else
    call('SADD', seen[1], phone)
    local head = string.format('%010d%02d%012d%010d', 1, 0, seq + row, batch) .. NEVER .. NEVER .. '0'
    call('SET', P .. 'job:' .. id, head .. record)
    call('ZADD', waiting, seq + row, id)
    call('ZADD', due, ready, id)
    taken[row] = '1'
    new = new + 1
  end
end
call('HINCRBY', P .. 'import:' .. import, 'rows', new)
return { 'ok', counted(), table.concat(taken) }
