-- Begins an import. Answers who owns the one that is in the way, if there is one.

local import, campaign, run, owner = arg(), arg(), arg(), arg()
if call('EXISTS', P .. 'campaign:' .. campaign) == 0 then return { 'missing', 'campaign' } end
local open = call('GET', P .. 'importing:' .. campaign)
if open then return { 'busy', open, call('HGET', P .. 'import:' .. open, 'owner') } end
if call('EXISTS', P .. 'import:' .. import) == 1 then return { 'conflict' } end
know_run(run, campaign)
local batch = new_batch(campaign, run)
call('HSET', P .. 'batch:' .. batch, 'import', import)
call('HSET', P .. 'import:' .. import, 'batch', batch, 'campaign', campaign, 'run', run, 'owner', owner, 'rows', 0)
call('SET', P .. 'importing:' .. campaign, import)
return { 'ok', counted() }
