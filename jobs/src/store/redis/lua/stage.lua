-- Adds rows to an open import. Answers for each whether it was taken.
--
-- What the rows bring comes column by column, so that a command for all of them is given its stretch of arguments as it is:
-- a call costs more than what it does for one row.

local import = arg()
local open = call('HMGET', P .. 'import:' .. import, 'batch', 'run')
local batch, run = open[1], open[2]
if not batch then return { 'missing', 'import' } end
local rows = tonumber(arg())
local ids, phones, times, records = at, at + rows, at + 2 * rows, at + 3 * rows

-- The rows whose number the run has already.
local seen = {}
local function look(phones_of)
  for row, known in ipairs(call('SMISMEMBER', P .. 'phones:' .. phones_of, unpack(ARGV, phones + 1, phones + rows))) do
    if known == 1 then seen[row] = true end
  end
end
look(batch)
for _, other in ipairs(call('ZRANGE', P .. 'shown:' .. run, 0, -1)) do look(other) end

local seq = tonumber(call('GET', P .. 'seq') or 0)
local first, last = '000000000100', string.format('%010d', batch) .. NEVER .. NEVER .. '0'
local jobs, numbers, waiting, due, taken = {}, {}, {}, {}, {}
local new, fresh = 0, {}
for row = 1, rows do
  local phone = ARGV[phones + row]
  if seen[row] or fresh[phone] then
    taken[row] = '0'
  else
    taken[row], fresh[phone], new = '1', true, new + 1
    local id, odd, even = ARGV[ids + row], 2 * new - 1, 2 * new
    numbers[new] = phone
    jobs[odd], jobs[even] = P .. 'job:' .. id, first .. string.format('%012d', seq + row) .. last .. ARGV[records + row]
    waiting[odd], waiting[even] = seq + row, id
    due[odd], due[even] = ARGV[times + row], id
  end
end

if new > 0 then
  -- All or none, so that a row which cannot be taken does not leave half of its neighbours.
  if call('MSETNX', unpack(jobs)) == 0 then
    for row = 1, rows do
      local known = taken[row] == '1' and head_of(ARGV[ids + row])
      if known and (is_visible(known) or call('HGET', P .. 'batch:' .. batch_of(known), 'import')) then
        return { 'conflict' }
      end
    end
    -- What is there was dropped, and gives way.
    call('MSET', unpack(jobs))
  end
  call('INCRBY', P .. 'seq', rows)
  call('SADD', P .. 'phones:' .. batch, unpack(numbers))
  call('ZADD', P .. 'batch:' .. batch .. ':0', unpack(waiting))
  call('ZADD', P .. 'due:' .. batch, unpack(due))
  call('HINCRBY', P .. 'import:' .. import, 'rows', new)
end
return { 'ok', counted(), table.concat(taken) }
