-- Forgets an import: at once for everybody who looks; its rows are cleared away piece by piece.

local import, owner = arg(), optional()
local open = call('HMGET', P .. 'import:' .. import, 'batch', 'campaign', 'owner')
local batch, campaign = open[1], open[2]
if not batch or (owner and owner ~= open[3]) then return { 'missing', 'import' } end
call('DEL', P .. 'import:' .. import, P .. 'importing:' .. campaign)
call('HDEL', P .. 'batch:' .. batch, 'import')
call('SADD', P .. 'dropped', batch)
return { 'ok', counted(), batch }
