-- A sign of life. Only of a sound one: the last is what tells from when on things may be forgotten.

if told_life == life and epoch < told_epoch then
  -- Emptied behind our back, without a restart.
  doubt(math.min(birth().beat, told_at))
else
  settle()
end
if era == life then
  call('SET', P .. 'beat', text(now))
  call('ZADD', P .. 'alive', text(now), process)
  call('ZREMRANGEBYSCORE', P .. 'alive', '-inf', text(now - 86400000000))
end
return { 'ok', counted(), era, text(now) }
