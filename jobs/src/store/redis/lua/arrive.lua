-- A process has a new connection, and says what it remembers before it does anything else. The first one to a life of
-- the server notes what that began with: from then on writes count up, and nobody could tell any more what was there.

local born = birth()
if born.life ~= life then
  local beat = tonumber(call('GET', P .. 'beat')) or 0
  call('DEL', P .. 'born', P .. 'awaited')
  call('HSET', P .. 'born', 'life', life, 'epoch', epoch, 'before', born.life or '', 'beat', text(beat), 'at', text(now))
  for _, other in ipairs(call('ZRANGEBYSCORE', P .. 'alive', text(beat - recent), '+inf')) do
    call('SADD', P .. 'awaited', other)
  end
  -- There is nothing here that could be a part of something.
  if epoch == 0 and era == '' then become(life) end
  born = birth()
end

local forgot
if told_life == '' then
  forgot = false
elseif told_life == life then
  forgot = epoch < told_epoch
elseif told_life == born.before then
  forgot = born.epoch < told_epoch
else
  -- A whole life went by without this process: what became of its writes nobody can tell.
  forgot = true
end

if forgot then
  doubt(math.min(born.beat, told_at))
else
  if told_life ~= '' and told_life == born.before then call('HSET', P .. 'born', 'witness', process) end
  call('SREM', P .. 'awaited', process)
  settle()
end
return { 'found', era, text(epoch) }
