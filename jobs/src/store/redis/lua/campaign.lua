-- A campaign's record: read from the arguments, compared, and set.

local function read_campaign()
  local id = optional()
  if not id then return nil end
  local campaign = { id = id, from = tonumber(arg()), running = arg(), run = arg(), fires_at = optional(), record = arg() }
  -- The run that begins with this write.
  campaign.begins = optional()
  if campaign.begins then campaign.number, campaign.run_record = arg(), arg() end
  return campaign
end

-- What is answered if it may not be written.
local function check_campaign(campaign)
  campaign.version = tonumber(call('GETRANGE', P .. 'campaign:' .. campaign.id, 0, 9))
  if campaign.from and not campaign.version then return { 'missing', 'campaign' } end
  if campaign.from ~= campaign.version then return { 'conflict' } end
end

local function write_campaign(campaign)
  local id, version = campaign.id, (campaign.version or 0) + 1
  if version == 1 then call('ZADD', P .. 'campaigns', call('INCR', P .. 'campaign_seq'), id) end
  -- Only what happened since it began to run tells whether it should.
  local was_running = call('GETRANGE', P .. 'campaign:' .. id, 10, 10) == '1'
  if campaign.running == '1' and (campaign.begins or not was_running) then
    call('HDEL', P .. 'limits:' .. id, 'endings')
  end
  local head = string.format('%010d%s', version, campaign.running) .. campaign.run
  call('SET', P .. 'campaign:' .. id, head .. campaign.record)
  if campaign.fires_at then
    call('ZADD', P .. 'fires', campaign.fires_at, id)
  elseif version > 1 then
    call('ZREM', P .. 'fires', id)
  end
  if campaign.begins then
    know_run(campaign.begins, id)
    call('HSET', P .. 'run:' .. campaign.begins, 'ended', 0, 'record', campaign.run_record)
    call('ZADD', P .. 'begun:' .. id, campaign.number, campaign.begins)
    call('ZADD', P .. 'open_runs', call('INCR', P .. 'run_seq'), campaign.begins)
  end
end
