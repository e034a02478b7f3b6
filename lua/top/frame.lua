-- One screen of `lagoon top`: what was seen and what is chosen become lines of so many columns.

local figures = require("lagoon.top.figures")
local partition_lines = require("lagoon.top.partition_lines")
local sections = require("lagoon.top.sections")
local words = require("lagoon.top.words")

local M = {}

local RECENT_MS = 5000 -- rates and times of handlers are of so long

M.SORTS = { "as declared", "by lag", "by what is handled", "by failures", "by name" }

local HELP = {
  "Keys",
  "  up, down, k, j   choose a consumer",
  "  p                pauses the chosen consumer, or resumes it, once that is confirmed",
  "  s                sorts: " .. table.concat(M.SORTS, ", "),
  "  q, Ctrl-C        ends it",
  "",
  "Rates and times of handlers are those of the last 5 s, the lag's of the last 15 s. FAILED",
  "counts what went wrong, each try of a record. 4>9/20: 4 workers run, 9 are wanted, 20 is the",
  "most. CATCH-UP is when there is no lag any more, if all goes on as it does.",
}

local STYLES = { bad = "31;1", warn = "33", head = "7", bold = "1", dim = "2" }

local ORDERS = {
  ["by lag"] = function(one) return -(one.lag or -1) end,
  ["by what is handled"] = function(one) return -(one.handled or -1) end,
  ["by failures"] = function(one) return -(one.failed or -1) end,
  ["by name"] = function(one) return one.status.name end,
}

local function order(consumers, sort)
  local value, places = ORDERS[sort], {}
  local ordered = table.move(consumers, 1, #consumers, 1, {})
  for i, one in ipairs(consumers) do
    places[one] = i
  end
  table.sort(ordered, function(a, b)
    local value_a, value_b = value and value(a), value and value(b)
    if value_a == value_b then
      return places[a] < places[b]
    end
    return value_a < value_b
  end)
  return ordered
end

---@param view lagoon.top.View
---@return table # what lagoon.top.figures says, the consumers in the order in which they are shown
function M.see(view)
  local seen = figures.of(view.looks, RECENT_MS)
  seen.consumers = order(seen.consumers, view.sort)
  return seen
end

local function index_of(consumers, name)
  for i, one in ipairs(consumers) do
    if one.status.name == name then
      return i
    end
  end
  return 1
end

local function footer(view)
  if view.confirm then
    return { text = ("%s consumer %s? y: yes, any other key: no"):format(view.confirm.command,
      words.clean(view.confirm.consumer)), style = "warn" }
  elseif view.silent_s then
    return { text = ("no answer for %s: what is shown is as old"):format(
      words.duration(view.silent_s)), style = "bad" }
  elseif view.note then
    return { text = words.clean(view.note), style = "bold" }
  end
  return { text = "q ends  p pauses, resumes  s sorts: " .. view.sort .. "  ? help", style = "dim" }
end

local function add(lines, more, room)
  for _, line in ipairs(more) do
    if #lines < room then
      lines[#lines + 1] = line
    end
  end
end

local BLANK = { text = "" }

-- Of what is left below the table a third is the producers', at most.
local function add_chosen(lines, seen, one, view, width, room)
  local producers = room - #lines >= 9 and #seen.producers > 0
    and math.min(#seen.producers + 2, (room - #lines) // 3) or 0
  local own = room - producers
  if one and own - #lines >= 3 then
    add(lines, { BLANK }, own)
    add(lines, sections.consumer(one, view.now_ms, width), own)
    if own - #lines >= 3 then
      add(lines, partition_lines(one.partitions, width, own - #lines), own)
    end
  end
  if producers > 0 then
    add(lines, { BLANK }, room)
    add(lines, sections.producers(seen.producers, producers - 1), room)
  end
end

local function body(view, width, room)
  local status = view.looks[#view.looks]
  local seen = M.see(view)
  local consumers = seen.consumers
  local chosen = index_of(consumers, view.chosen)
  local lines = {}
  add(lines, sections.header(status, seen, width), math.max(1, room - 2))
  if room - #lines >= 8 then
    lines[#lines + 1] = BLANK
  end
  local left = room - #lines
  local rows = math.min(#consumers, math.max(1, left > 12 and left // 2 - 1 or left - 1))
  add(lines, sections.consumers(consumers, chosen, width, rows + 1), room)
  add_chosen(lines, seen, consumers[chosen], view, width, room)
  return lines
end

local function paint(line, width, is_coloured)
  local text = words.cut(line.text, width)
  local code = is_coloured and line.style and STYLES[line.style]
  if not code then
    return text
  elseif line.style == "head" then
    text = words.fit(text, width)
  end
  return ("\27[%sm%s\27[0m"):format(code, text)
end

---@class lagoon.top.View
---@field looks table[] answers to `status`, the oldest first
---@field now_ms integer since 1970
---@field sort string one of SORTS
---@field chosen string? the name of a consumer
---@field confirm {command: string, consumer: string}? what is to be confirmed
---@field note string? what came of the last command
---@field silent_s number? how long there has been no answer
---@field is_helping boolean?
---@field is_coloured boolean

---@param view lagoon.top.View
---@param width integer
---@param height integer
---@return string[] # as many lines as there are, none longer
function M.draw(view, width, height)
  local lines = {}
  if view.is_helping then
    for i, text in ipairs(HELP) do
      lines[i] = i < height and { text = text } or nil
    end
  elseif height > 1 then
    lines = body(view, width, height - 1)
  end
  for i = #lines + 1, height - 1 do
    lines[i] = BLANK
  end
  lines[height] = view.is_helping and { text = "any key goes back", style = "dim" } or footer(view)
  local painted = {}
  for i, line in ipairs(lines) do
    painted[i] = paint(line, width, view.is_coloured)
  end
  return painted
end

return M
