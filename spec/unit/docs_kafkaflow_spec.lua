local directory = require("spec.support.directory")
local docs = require("spec.support.docs")

local PAGE = directory.read("docs/kafkaflow.md")

-- What its references list, which other specs hold against the program.
local function listed(path, add)
  local set = {}
  for _, cells in ipairs(docs.rows(directory.read(path))) do
    for _, span in ipairs(docs.code_spans(cells[1])) do
      add(set, span, cells)
    end
  end
  return set
end

-- Keys as the page writes them: within a producer, say, `workers.min` and also `workers`.
local KEYS = listed("docs/configuration.md", function(set, key, cells)
  set[key] = table.concat(cells, " ")
  set[key:match("^[%w_]+")] = set[key]
  if key:find("^%l+s$") then
    set[key .. ".NAME"] = set[key]
  end
end)

local NAMES = listed("docs/lua.md", function(set, span)
  set[span:match("^[%w_.:]+")] = true
end)

local COMMANDS = listed("docs/command-line.md", function(set, span)
  set[span:match("^lagoon [%l-]+") or span:match("^%-%-[%l-]+") or span] = true
end)

local function is_command(span)
  for flag in span:gmatch("%-%-[%l-]+") do
    if not COMMANDS[flag] then
      return false
    end
  end
  return COMMANDS[span:match("^lagoon [%l-]+")]
end

local function is_key(span)
  local key, value = span:match("^([%l_.]+N?A?M?E?)%s*=?%s*(.*)$")
  local word = value and value:match('^"([%l_]+)"$')
  return KEYS[key] and (not word or key == "codec" or KEYS[key]:find('`"' .. word .. '"`', 1, true))
end

local function is_known(span)
  return is_command(span) or NAMES[span:match("^[%w_.:]+")] or is_key(span)
end

describe("the page for those who know KafkaFlow", function()
  it("sends them to keys, functions and commands that exist", function()
    local count = 0
    for _, cells in ipairs(docs.rows(PAGE)) do
      for _, span in ipairs(docs.code_spans(cells[2])) do
        assert(is_known(span), ("%s: there is no `%s`"):format(cells[1], span))
        count = count + 1
      end
    end
    assert.is_true(count > 50)
  end)

  it("speaks of keys and functions that exist, also where it says what differs", function()
    for _, cells in ipairs(docs.rows(PAGE)) do
      for _, span in ipairs(docs.code_spans(cells[3] or "")) do
        local is_name = span:find("^%l[%w_]+[_.:][%w_.:]+")
        assert(not is_name or is_known(span), ("%s: there is no `%s`"):format(cells[1], span))
      end
    end
  end)
end)
