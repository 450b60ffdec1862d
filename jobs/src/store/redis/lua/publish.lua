-- Shows an import: its batch becomes visible, and its jobs are counted. Its campaign changes with it.

local given, origin, import = optional(), arg(), arg()
local reply = optional()
local reply_key, reply_value
if reply then
  reply_key, reply_value = arg(), arg()
  local known = reply == 'claim' and known_reply(reply_key, clock(given))
  if known then return { 'taken', known } end
end
local change = read_campaign()
local open = call('HMGET', P .. 'import:' .. import, 'batch', 'run', 'campaign', 'rows')
local batch, run, campaign, rows = open[1], open[2], open[3], open[4]
if not batch then return { 'missing', 'import' } end
local refused = change and check_campaign(change)
if refused then return refused end
call('DEL', P .. 'import:' .. import, P .. 'importing:' .. campaign)
call('HDEL', P .. 'batch:' .. batch, 'import')
show_batch(batch, run)
if call('EXISTS', P .. 'due:' .. batch) == 1 then call('SADD', P .. 'sources', batch) end
count(run, 0, rows)
if tonumber(rows) > 0 then reopen(run) end
if change then write_campaign(change) end
announce()
if reply then keep_reply(reply_key, reply_value) end
tell(origin, 'campaign ' .. campaign)
return { 'ok', counted() }
