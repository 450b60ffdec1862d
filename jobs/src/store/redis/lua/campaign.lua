-- A campaign's record: read from the arguments, compared, and set.

local function read_campaign()
  local id = optional()
  if id then return { id = id, from = tonumber(arg()), running = arg(), run = arg(), record = arg() } end
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
  local head = string.format('%010d%s', version, campaign.running) .. campaign.run
  call('SET', P .. 'campaign:' .. id, head .. campaign.record)
end
