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

-- Microseconds since 1970: by this server's clock, or by the clock that a test turns.
local function clock()
  local given = optional()
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
  local head = call('GETRANGE', P .. 'job:' .. id, 0, 33)
  if head == '' then return nil end
  return {
    version = tonumber(string.sub(head, 1, 10)),
    status = tonumber(string.sub(head, 11, 12)),
    seq = tonumber(string.sub(head, 13, 24)),
    batch = tonumber(string.sub(head, 25, 34)),
  }
end

local function is_visible(batch)
  return batch == 0 or call('SISMEMBER', P .. 'visible', batch) == 1
end

local function read_job()
  local job = {
    id = arg(), from = tonumber(arg()), status = tonumber(arg()), ready = optional(), deadline = optional(),
    line = optional(), holds = arg() == '1', phone = arg(), campaign = optional(), run = optional(),
    record = arg(), entries = tonumber(arg()),
  }
  job.first = at + 1
  at = at + job.entries
  return job
end

local function add_entries(id, first, count)
  for number = first, first + count - 1 do
    call('RPUSH', P .. 'log:' .. id, ARGV[number])
  end
end

local function count(run, status, by)
  if run then call('HINCRBY', P .. 'counts:' .. run, status, by) end
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
  return status ~= nil and status >= 1 and status <= 5
end

-- Adds or removes a job in one of the lists of live jobs.
local function list(key, id, score, was_live)
  if score then
    call('ZADD', P .. key, score, id)
  elseif was_live then
    call('ZREM', P .. key, id)
  end
end

-- Writes a job, its history and every index of it. `before` is its head as it was; that of a new job has
-- version 0, no status, and the places that were found for it.
local function write_job(job, before)
  local id, batch, seq = job.id, before.batch, before.seq
  local head = string.format('%010d%02d%012d%010d', before.version + 1, job.status, seq, batch)
  call('SET', P .. 'job:' .. id, head .. job.record)
  if before.status ~= job.status then
    if before.status then
      call('ZREM', P .. 'batch:' .. batch .. ':' .. before.status, id)
      count(job.run, before.status, -1)
    end
    call('ZADD', P .. 'batch:' .. batch .. ':' .. job.status, seq, id)
    count(job.run, job.status, 1)
  end
  if job.ready then
    enqueue(batch, id, job.ready)
  elseif before.status == 0 then
    dequeue(batch, id)
  end
  local was_live = is_live(before.status)
  list('deadlines', id, job.deadline, was_live)
  list('lines', id, job.line, was_live)
  if job.campaign then list('lines:' .. job.campaign, id, job.line, was_live) end
  if is_live(job.status) ~= was_live then list('open', id, not was_live and seq or nil, was_live) end
  local lock = P .. 'lock:' .. job.phone
  if job.holds then
    call('SET', lock, id)
  elseif before.status and call('GET', lock) == id then
    call('DEL', lock)
  end
  add_entries(id, job.first, job.entries)
end

-- Tells everybody who listens. `origin` is the process that hears of it without the server.
local function tell(origin, news)
  call('PUBLISH', P .. 'news', origin .. ' ' .. news)
end

local function tell_job(origin, job)
  tell(origin, 'job ' .. job.id .. ' ' .. job.status .. ' ' .. (job.run or ''))
end
