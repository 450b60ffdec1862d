-- What a new connection finds. The first one to a life of the server notes what it began with: from then on
-- writes count up, and nobody could tell any more how much was there.

local epoch = tonumber(call('GET', P .. 'epoch')) or 0
local born = call('HMGET', P .. 'born', 'life', 'epoch', 'before')
if born[1] ~= life then
  born = { life, epoch, born[1] or '' }
  call('HSET', P .. 'born', 'life', life, 'epoch', epoch, 'before', born[3])
end
local era, beat = call('GET', P .. 'era') or '', call('GET', P .. 'beat') or ''
return { 'found', era, text(epoch), text(tonumber(born[2])), born[3], beat }
