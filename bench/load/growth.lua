-- One request over and over, of a size that the arguments name: "headers N": N header lines, Host among them;
-- "bytes N": a head of N bytes in nine header lines; "plain": Host alone.
local text
local function head(lines)
  return "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" .. table.concat(lines) .. "\r\n"
end

local function fill(bytes)
  local words = "lorem ipsum dolor sit amet consetetur sadipscing elitr "
  return string.rep(words, math.ceil(bytes / #words)):sub(1, math.max(bytes - 1, 0)) .. "x"
end

function init(arguments)
  local kind, count = arguments[1], tonumber(arguments[2])
  local lines = {}
  if kind == "headers" then
    for index = 1, count - 1 do lines[index] = string.format("X-Growth-%03d: value of header %d\r\n", index, index) end
  elseif kind == "bytes" then
    local each = math.floor((count - #head({})) / 8)
    for index = 1, 8 do lines[index] = string.format("X-Fill-%d: ", index) .. fill(each - 12) .. "\r\n" end
    local last = count - #head({}) - 7 * each
    lines[8] = "X-Fill-8: " .. fill(last - 12) .. "\r\n"
  end
  text = head(lines)
  if kind == "bytes" and #text ~= count then error("the head has " .. #text .. " bytes, not " .. count) end
end

function request()
  return text
end
