-- Head of every script: how arguments are read, and how a job's record and its places in the
-- indexes change together. What the keys mean is told in keys.rs.
--
-- KEYS[1] is the prefix of all keys. Arguments are read one after the other; '' stands for none. The last
-- one is the life of the server that the caller has looked at.

local P = KEYS[1]
local call = redis.call
local life = ARGV[#ARGV]
local at = 0

local function arg()
  at = at + 1
  return ARGV[at]
end

local function optional()
  local value = arg()
  if value ~= '' then return value end
end

-- A whole number as text: Lua would write a large one as 1.7e+15.
local function text(number)
  return string.format('%.0f', number)
end

-- Microseconds since 1970: by this server's clock, or by `given`, the clock that a test turns.
local function clock(given)
  if given then return tonumber(given) end
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- Every write counts. A server that forgot a confirmed write shows a lower number than was seen.
local function counted()
  return call('INCR', P .. 'epoch')
end

-- The head of a job's record; nil if there is none.
local function head_of(id)
  local head = call('GETRANGE', P .. 'job:' .. id, 0, 66)
  if head == '' then return nil end
  return {
    version = tonumber(string.sub(head, 1, 10)),
    status = tonumber(string.sub(head, 11, 12)),
    places = string.sub(head, 13, 34),
    deadline = string.sub(head, 35, 50),
    line = string.sub(head, 51, 66),
    holds = string.sub(head, 67, 67),
  }
end

local function seq_of(head)
  return tonumber(string.sub(head.places, 1, 12))
end

local function batch_of(head)
  return tonumber(string.sub(head.places, 13, 22))
end

local NEVER = '0000000000000000'
-- The last of the statuses at which a job is open.
local CLOSING = 5

-- Rows of an import that is not published are never written a second time.
local function is_visible(head)
  if head.version > 1 then return true end
  local batch = batch_of(head)
  return batch == 0 or call('SISMEMBER', P .. 'visible', batch) == 1
end

local function read_job()
  local job = {
    id = arg(), from = tonumber(arg()), status = tonumber(arg()), ready = optional(), deadline = arg(),
    line = arg(), holds = arg(), phone = arg(), campaign = optional(), run = optional(),
    record = arg(),
  }
  job.tally = at + 1
  at = at + 1 + 2 * tonumber(ARGV[job.tally])
  job.ending = optional()
  job.latest = job.ending and tonumber(arg())
  job.entries = tonumber(arg())
  job.first = at + 1
  at = at + job.entries
  return job
end

local function add_entries(id, first, count)
  for number = first, first + count - 1 do
    call('RPUSH', P .. 'log:' .. id, ARGV[number])
  end
end

-- Adds to a counter of a run: of the jobs at a status, or one of the tally's.
local function count(run, counter, by)
  if run then call('HINCRBY', P .. 'counts:' .. run, counter, by) end
end

-- A run that had ended is open again, because a job of it is.
local function reopen(run)
  local key = P .. 'run:' .. run
  if call('HGET', key, 'ended') ~= '1' then return end
  call('HSET', key, 'ended', 0)
  call('ZADD', P .. 'open_runs', call('INCR', P .. 'run_seq'), run)
end

-- The queue: waiting jobs of a batch by the time from which on they may be dialled.
local function enqueue(batch, id, ready)
  call('ZADD', P .. 'due:' .. batch, ready, id)
  call('SADD', P .. 'sources', batch)
end

local function dequeue(batch, id)
  local due = P .. 'due:' .. batch
  call('ZREM', due, id)
  if call('EXISTS', due) == 0 then call('SREM', P .. 'sources', batch) end
end

local function is_live(status)
  return status ~= nil and status >= 1 and status <= CLOSING
end

-- The list of a batch in which jobs of a status are: those with a call under way share one.
local function list_of(status)
  return is_live(status) and 'live' or status
end

-- Whether a run is not the present one, as the campaign's record names that. A record from before campaigns had several
-- runs does not name one.
local function is_replaced(run, present)
  return run ~= present and string.sub(present, 1, 1) ~= '{'
end

-- Keeps a job at its time in a list of times, where that has changed.
local function time_list(key, id, before, after)
  if after == before then return end
  if after == NEVER then
    call('ZREM', P .. key, id)
  else
    call('ZADD', P .. key, after, id)
  end
end

-- Writes a job, its history and every index of it that changes. `before` is its head as it was; that of a new
-- job has version 0, no status, and the places that were found for it. Each call costs more than all that
-- surrounds it, so what stays as it was is left alone.
local function write_job(job, before)
  local id, status, was = job.id, job.status, before.status
  local head = string.format('%010d%02d', before.version + 1, status) .. before.places .. job.deadline .. job.line
  call('SET', P .. 'job:' .. id, head .. job.holds .. job.record)
  local from, to = was and list_of(was), list_of(status)
  if from ~= to then
    local batch, seq = batch_of(before), seq_of(before)
    if from then call('ZREM', P .. 'batch:' .. batch .. ':' .. from, id) end
    call('ZADD', P .. 'batch:' .. batch .. ':' .. to, seq, id)
    if to == 'live' then
      call('ZADD', P .. 'open', seq, id)
    elseif from == 'live' then
      call('ZREM', P .. 'open', id)
    end
  end
  if was ~= status then
    if was then count(job.run, was, -1) end
    count(job.run, status, 1)
    if job.run and status <= CLOSING and not (was and was <= CLOSING) then reopen(job.run) end
  end
  if job.run then
    for place = job.tally + 1, job.tally + 2 * tonumber(ARGV[job.tally]), 2 do
      count(job.run, ARGV[place], ARGV[place + 1])
    end
  end
  -- Those of a run that was replaced tell nothing of the present one.
  if job.ending and job.campaign
    and not is_replaced(job.run, call('GETRANGE', P .. 'campaign:' .. job.campaign, 11, 40)) then
    local limits = P .. 'limits:' .. job.campaign
    local known = call('HGET', limits, 'endings') or ''
    call('HSET', limits, 'endings', string.sub(job.ending .. known, 1, job.latest))
  end
  if job.ready then
    enqueue(batch_of(before), id, job.ready)
  elseif was == 0 then
    dequeue(batch_of(before), id)
  end
  time_list('deadlines', id, before.deadline, job.deadline)
  time_list('lines', id, before.line, job.line)
  if job.campaign then time_list('lines:' .. job.campaign, id, before.line, job.line) end
  if job.holds ~= before.holds then
    if job.holds == '1' then
      call('SET', P .. 'lock:' .. job.phone, id)
    else
      call('DEL', P .. 'lock:' .. job.phone)
    end
  end
  add_entries(id, job.first, job.entries)
end

-- What is announced: read, and added to the list, of which about so many of the latest are kept.
local function announce()
  local count = tonumber(arg())
  if count == 0 then return end
  local kept = arg()
  for _ = 1, count do
    call('XADD', P .. 'announcements', 'MAXLEN', '~', kept, '*', 'a', arg())
  end
end

-- Tells everybody who listens. `origin` is the process that hears of it without the server.
local function tell(origin, news)
  call('PUBLISH', P .. 'news', origin .. ' ' .. news)
end

local function tell_job(origin, job)
  tell(origin, 'job ' .. job.id .. ' ' .. job.status .. ' ' .. (job.run or ''))
end
