-- The kinds of single values. Each takes what was written, its row and the natives, and gives what
-- the runtime works with; or nil, what it must be, what may have been meant, and which part of it
-- is wrong.

local addresses = require("lagoon.config.addresses")
local amounts = require("lagoon.config.amounts")
local words = require("lagoon.config.words")

local M = {
  integer = amounts.integer,
  duration = amounts.duration,
  size = amounts.size,
  brokers = addresses.brokers,
  listen = addresses.listen,
}

local function is_printable(text, longest)
  return #text >= 1 and #text <= longest and not text:find("%c") and utf8.len(text) ~= nil
end

function M.boolean(value)
  if type(value) == "boolean" then
    return value
  end
  return nil, "must be true or false"
end

function M.enum(value, row)
  for _, choice in ipairs(row.values) do
    if value == choice then
      return value
    end
  end
  return nil, "must be " .. words.choices(row.values), words.nearest(value, row.values)
end

---What people call the things they declare.
function M.name(value)
  if type(value) == "string" and is_printable(value, 255) then
    return value
  end
  return nil, "must be a name of 1 to 255 printable characters"
end

function M.group(value)
  if type(value) == "string" and is_printable(value, 255) then
    return value
  end
  return nil, "must be a legal group name, which is 1 to 255 printable characters"
end

function M.topic(value, row)
  if value == false and row and row.optional then
    return false
  end
  local is_legal = type(value) == "string" and #value <= 249 and value:find("^[%w._-]+$")
    and value ~= "." and value ~= ".."
  if is_legal then
    return value
  end
  return nil, "must be a legal topic name, which is 1 to 249 letters, digits, '.', '_' and '-'"
end

---A topic, or a pattern that librdkafka matches with the names of all topics.
M["topic or pattern"] = function(value, row, natives)
  if type(value) ~= "string" or value:sub(1, 1) ~= "^" then
    local topic, must = M.topic(value, row)
    local is_pattern = must and type(value) == "string" and value:find("[*+?|^$()%[%]{}\\]")
    return topic, is_pattern and must .. '; a regular expression begins with "^"' or must
  elseif not is_printable(value, 1024) then
    return nil, "must be a regular expression of at most 1024 printable characters"
  end
  local problem = natives.pattern_problem(value)
  if problem then
    return nil, ("must be a POSIX regular expression (%s)"):format(problem)
  end
  return value
end

---A member's own name within its group; Kafka takes what it takes as a topic's name.
function M.instance(value)
  local is_legal = type(value) == "string" and M.topic(value, {}) ~= nil
  if is_legal then
    return value
  end
  return nil, "must be a name of 1 to 249 letters, digits, '.', '_' and '-'"
end

M["event type"] = function(value)
  if type(value) == "string" and is_printable(value, 1024) then
    return value
  end
  return nil, "must be the type of an event"
end

function M.header(value, row)
  if type(value) == "string" and is_printable(value, 255) then
    return value
  elseif value == false and row.optional then
    return false
  end
  return nil, "must be the name of a header" .. (row.optional and ", or false for none" or "")
end

---What is passed on as it is: a login, a password.
function M.text(value)
  if type(value) == "string" and value ~= "" and not value:find("\0", 1, true) then
    return value
  end
  return nil, "must be text"
end

---The path of a file; whether it is there is another question.
function M.file(value)
  if type(value) == "string" and is_printable(value, 4096) then
    return value
  end
  return nil, "must be the path of a file"
end

---A header's value, as its text.
M["header value"] = function(value)
  if type(value) == "string" and utf8.len(value) and not value:find("%c") then
    return value
  elseif math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  return nil, "must be text or an integer"
end

M["event path"] = function(value, row)
  if type(value) == "string" and ("." .. value):gsub("%.[^%c.]+", "") == "" then
    return value
  elseif value == false and row.optional then
    return false
  end
  return nil, 'must be a path in the event such as "payment.id"'
    .. (row.optional and ", or false for none" or "")
end

local function is_module(text)
  local module = text:match("^(.+):[%a_][%w_]*$") or text
  return ("." .. module):gsub("%.[%w_-]+", "") == ""
end

-- Where people write the path of a file.
local function meant_module(value)
  local meant = type(value) == "string" and value:gsub("^scripts/", ""):gsub("%.lua$", "")
    :gsub("%.lua:", ":"):gsub("/", ".")
  return meant and is_module(meant) and meant or nil
end

---The name of a module, or of a member of what it returns: "handlers.orders:created".
function M.module(value)
  if type(value) == "string" and is_module(value) and not value:find("%.lua$")
    and not value:find("%.lua:") then
    return value
  end
  return nil, 'must be the name of a module such as "handlers.order_created"', meant_module(value)
end

function M.codec(value, row)
  local near = words.nearest(value, row.words)
  local is_word = type(value) == "string" and not value:find("[.:]")
  if type(value) == "string" and is_module(value) and not (is_word and near and near ~= value) then
    return value
  end
  return nil, "must be " .. words.choices(row.words) .. ", or the name of a module",
    near or meant_module(value)
end

---A librdkafka property as the text it takes.
function M.property(value)
  if type(value) == "string" and not value:find("\0", 1, true) or type(value) == "boolean" then
    return tostring(value)
  elseif math.type(value) and math.tointeger(value) then
    return ("%d"):format(value)
  end
  return nil, "must be text, an integer, true or false"
end

---A setting of a topic; those of the broker may be fractions.
M["topic setting"] = function(value)
  local is_fraction = math.type(value) == "float" and value - value == 0
  if is_fraction and not math.tointeger(value) then
    return ("%.14g"):format(value)
  end
  local text = M.property(value)
  return text, "must be text, a number, true or false"
end

return M
