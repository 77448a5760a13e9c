-- Each request has its own number; the thread ends after the last one, so that none is cut off.
local asked, got, count = 0, 0, 0

function init(args)
  count = tonumber(args[1])
end

function request()
  asked = asked + 1
  wrk.headers['X-Request-ID'] = 'wrk-' .. asked
  return wrk.format(nil, wrk.path .. '/' .. asked)
end

function response()
  got = got + 1
  if got == count then wrk.thread:stop() end
end
