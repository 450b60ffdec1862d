-- A process ends in order: nobody needs to wait for its word.

local process = arg()
call('ZREM', P .. 'alive', process)
call('SREM', P .. 'awaited', process)
return { 'ok', counted() }
