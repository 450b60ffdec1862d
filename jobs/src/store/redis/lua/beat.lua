-- A sign of life. Only of a sound one: the last is what tells from when on things may be forgotten.

local now = clock(optional())
local era = call('GET', P .. 'era') or ''
if era == life then call('SET', P .. 'beat', text(now)) end
return { 'ok', counted(), era, text(now) }
