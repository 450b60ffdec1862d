-- Changes the era from one value to another, if it is still the first. One that is sound gives a sign of life.

local given, from, to, sound = optional(), arg(), arg(), arg()
local era = call('GET', P .. 'era') or ''
if era ~= from then return { 'changed', era } end
call('SET', P .. 'era', to)
if sound == '1' then call('SET', P .. 'beat', text(clock(given))) end
tell('-', 'gap')
return { 'ok', counted(), to }
