-- Changes the era from one value to another, if it is still the first.

local from, to = arg(), arg()
local era = call('GET', P .. 'era') or ''
if era ~= from then return { 'changed', era } end
call('SET', P .. 'era', to)
tell('-', 'gap')
return { 'ok', counted(), to }
