-- The request of headers.lua as many clients send it: path, request id, trace and token differ, the browser is one of four.
-- Each connection rests some milliseconds between two requests, so that nothing that watches has to drop any.
dofile("headers.lua")
local agents = {
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  "okhttp/4.12.0",
}
local tenants = { "acme", "globex", "initech", "umbrella", "hooli" }
local function hex(words)
  local text = ""
  for _ = 1, words do text = text .. string.format("%08x", math.random(0, 0x7fffffff)) end
  return text
end

function init()
  math.randomseed(1)
end

function delay()
  return 5
end

function request()
  local id = hex(4)
  wrk.headers["User-Agent"] = agents[math.random(#agents)]
  wrk.headers["Authorization"] = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." .. hex(5) .. "." .. hex(6)
  wrk.headers["X-Request-ID"] = string.format("%s-%s-%s-%s-%s", id:sub(1, 8), id:sub(9, 12), id:sub(13, 16), id:sub(17, 20), id:sub(21))
  wrk.headers["X-Tenant-ID"] = tenants[math.random(#tenants)]
  wrk.headers["traceparent"] = "00-" .. hex(4) .. "-" .. hex(2) .. "-01"
  return wrk.format("GET", string.format("/api/v1/users/%d?expand=orders&page=%d", math.random(50000), math.random(20)))
end
