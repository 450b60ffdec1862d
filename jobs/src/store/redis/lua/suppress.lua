-- Suppresses many numbers. Answers which were new, and for each whose open attempt holds it.

local origin, numbers = arg(), tonumber(arg())
local new, answer = {}, { 'ok', '', '' }
for number = 1, numbers do
  local phone, record = arg(), arg()
  local is_new = call('HSETNX', P .. 'suppressed', phone, record) == 1
  if is_new then
    call('ZADD', P .. 'suppressed:list', 0, phone)
    tell(origin, 'suppression')
  end
  new[number] = is_new and '1' or '0'
  answer[number + 3] = call('GET', P .. 'lock:' .. phone) or ''
end
answer[2], answer[3] = counted(), table.concat(new)
return answer
