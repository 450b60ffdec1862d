-- What may have been forgotten has been written back.

local known = arg()
if (call('GET', P .. 'era') or '') ~= known then return { 'changed' } end
local time = call('TIME')
call('SET', P .. 'era', life)
call('SET', P .. 'beat', text(time[1] * 1000000 + time[2]))
tell('-', 'gap')
return { 'ok', counted() }
