-- Removes some rows of a dropped import. Answers whether any are left.

local batch, rows = arg(), tonumber(arg())
local waiting = P .. 'batch:' .. batch .. ':0'
local ids = call('ZRANGE', waiting, 0, rows - 1)
for _, id in ipairs(ids) do
  local known = head_of(id)
  -- The same job may have come again meanwhile, with another import.
  if known and batch_of(known) == tonumber(batch) then call('DEL', P .. 'job:' .. id, P .. 'log:' .. id) end
  call('ZREM', waiting, id)
end
if call('EXISTS', waiting) == 1 then return { 'ok', counted(), '1' } end
call('UNLINK', P .. 'due:' .. batch, P .. 'phones:' .. batch, P .. 'batch:' .. batch)
call('SREM', P .. 'dropped', batch)
return { 'ok', counted(), '0' }
