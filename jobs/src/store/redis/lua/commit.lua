-- One write as one whole: first every part is checked, then every part is written.

local given, origin = optional(), arg()

local reply = optional()
local reply_key, reply_value
if reply then
  reply_key, reply_value = arg(), arg()
  -- A repeated request must hear of its first reply, whatever else is true by now.
  local known = reply == 'claim' and known_reply(reply_key, clock(given))
  if known then return { 'taken', known } end
end

local campaign = read_campaign()
local refused = campaign and check_campaign(campaign)
if refused then return refused end

local ends, end_record = optional(), nil
if ends then
  end_record = arg()
  local ended = call('HGET', P .. 'run:' .. ends, 'ended')
  if not ended then return { 'missing', 'run' } end
  if ended == '1' then return { 'conflict' } end
  for _, open in ipairs(call('HMGET', P .. 'counts:' .. ends, 0, 1, 2, 3, 4, CLOSING)) do
    if (tonumber(open) or 0) > 0 then return { 'conflict' } end
  end
end

local job, before
if arg() == '1' then
  job = read_job()
  before = head_of(job.id)
  if before and not is_visible(before) then
    -- A row of an import that is not published: to everybody else it does not exist. One that was
    -- dropped gives way; one that is still open does not.
    local open = call('HGET', P .. 'batch:' .. batch_of(before), 'import')
    if open and not job.from then return { 'conflict' } end
    before = nil
  end
  if job.from and not before then return { 'missing', 'job' } end
  if before and before.version ~= job.from then return { 'conflict' } end
  if not before and job.campaign and job.campaign ~= (campaign and campaign.id)
    and call('EXISTS', P .. 'campaign:' .. job.campaign) == 0 then
    return { 'missing', 'campaign' }
  end
  if job.holds == '1' and not (before and before.holds == '1') then
    local holder = call('GET', P .. 'lock:' .. job.phone)
    if holder and holder ~= job.id then return { 'held', holder } end
  end
end

local noted = optional()
local notes, first_note
if noted then
  notes = tonumber(arg())
  first_note = at + 1
  at = at + notes
  local head = head_of(noted)
  if not head or not is_visible(head) then return { 'missing', 'job' } end
end

local endpoint_id = optional()
local endpoint, endpoint_from, endpoint_record, endpoint_version
if endpoint_id then
  endpoint = arg()
  if endpoint == 'put' then endpoint_from, endpoint_record = tonumber(arg()), arg() end
  local known = call('HGET', P .. 'endpoints', endpoint_id)
  endpoint_version = known and tonumber(string.sub(known, 1, 10)) or 0
  if (endpoint_from or endpoint == 'remove') and not known then return { 'missing', 'webhook' } end
  if endpoint == 'put' and (endpoint_from or 0) ~= endpoint_version then return { 'conflict' } end
end

if campaign then
  write_campaign(campaign)
  tell(origin, 'campaign ' .. campaign.id)
end

if ends then
  call('HSET', P .. 'run:' .. ends, 'ended', 1, 'record', end_record)
  call('ZREM', P .. 'open_runs', ends)
  tell(origin, 'campaign ' .. call('HGET', P .. 'run:' .. ends, 'campaign'))
end

if job then
  if not before then
    local batch = 0
    if job.run then
      know_run(job.run, job.campaign)
      batch = tonumber(call('HGET', P .. 'run:' .. job.run, 'additions'))
      if not batch then
        batch = new_batch(job.campaign, job.run)
        call('HSET', P .. 'run:' .. job.run, 'additions', batch)
        show_batch(batch, job.run)
      end
      call('SADD', P .. 'phones:' .. batch, job.phone)
    end
    local places = string.format('%012d%010d', call('INCR', P .. 'seq'), batch)
    before = { version = 0, places = places, deadline = NEVER, line = NEVER, holds = '0' }
  end
  write_job(job, before)
  tell_job(origin, job)
end

if noted then add_entries(noted, first_note, notes) end

local unsuppress, suppress = optional(), optional()
local suppressions = 0
if unsuppress and call('HDEL', P .. 'suppressed', unsuppress) == 1 then
  call('ZREM', P .. 'suppressed:list', unsuppress)
  tell(origin, 'suppression')
  suppressions = suppressions + 1
end
if suppress and call('HSETNX', P .. 'suppressed', suppress, arg()) == 1 then
  call('ZADD', P .. 'suppressed:list', 0, suppress)
  tell(origin, 'suppression')
  suppressions = suppressions + 1
end

announce()

if endpoint == 'put' then
  call('HSET', P .. 'endpoints', endpoint_id, string.format('%010d', endpoint_version + 1) .. endpoint_record)
  if endpoint_version == 0 then tell(origin, 'endpoint') end
elseif endpoint == 'remove' then
  call('HDEL', P .. 'endpoints', endpoint_id)
  tell(origin, 'endpoint')
end

if reply then keep_reply(reply_key, reply_value) end
return { 'ok', counted(), suppressions }
