-- For wrk at a bounded rate: arguments after "--" are PREFIX and PAUSE_MS. Says "done ID" for each response that it read whole; the
-- gateway sends the request's X-Request-ID back.
local asked = 0

function init(words)
  prefix = words[1]
  pause = tonumber(words[2])
end

function delay()
  return pause
end

function request()
  asked = asked + 1
  wrk.headers["X-Request-ID"] = prefix .. asked
  return wrk.format("GET", "/wrk")
end

function response(status, headers)
  local id = headers["X-Request-ID"] or "?"
  io.write(status == 200 and "done " or "failed ", id, " ", status, "\n")
end
