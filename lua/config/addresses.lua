-- Where brokers are, and where we listen.

local M = {}

local function is_address(text)
  local host, port = text:match("^%[([%x:.]+)%]:(%d+)$")
  if not host then
    host, port = text:match("^([%w._-]+):(%d+)$")
  end
  port = host and tonumber(port)
  return port and port >= 1 and port <= 65535
end

local function split(text)
  local list = {}
  for address in (text .. ","):gmatch("%s*(.-)%s*,") do
    table.insert(list, address)
  end
  return list
end

---What a message may show of an address that somebody wrote as a URL with a login.
---@param address any
---@return any
function M.without_login(address)
  if type(address) ~= "string" then
    return address
  end
  return (address:gsub("^(%a*:?/*)[^@]*@", "%1<secret>@"))
end

---"a:9092, b:9092" or a list of such; gives the text that librdkafka takes.
function M.brokers(value)
  local list = value
  if type(value) == "string" then
    list = split(value)
  elseif type(value) ~= "table" or #value == 0 then
    return nil, "must be host:port, several in one text or a list"
  end
  for _, address in ipairs(list) do
    if type(address) ~= "string" or not is_address(address) then
      local meant = type(address) == "string" and address:find("^[%w._-]+$")
        and address .. ":9092"
      return nil, "must be host:port", meant or nil, M.without_login(address)
    end
  end
  return table.concat(list, ",")
end

---Where a server listens.
function M.listen(value)
  local text = type(value) == "string" and value or ""
  local port = text:match("^[%x.:%[%]]*:(%d+)$") or text:match("^localhost:(%d+)$")
  local is_port = port and #port <= 5 and tonumber(port) <= 65535
  if is_port or text:find("^unix:/[^%c]+$") then
    return value
  end
  return nil, 'must be an address such as "127.0.0.1:9464", "[::1]:9464", ":9464" for every '
    .. 'address of the machine, or "unix:/path"'
end

return M
