-- `lagoon top`: what is known of a running lagoon, what is chosen, and what a key does to that.

local frame = require("lagoon.top.frame")
local keys = require("lagoon.top.keys")

local M = {}

local KEPT_MS = 15000 -- so long ago is the look that the trend of a lag begins with
local NOTE_MS = 10000 -- so long a note stays

---@class lagoon.top.Top
---@field view lagoon.top.View
local Top = {}
Top.__index = Top

---@param is_coloured boolean
---@return lagoon.top.Top
function M.new(is_coloured)
  return setmetatable({ view = { looks = {}, sort = frame.SORTS[1], is_coloured = is_coloured } },
    Top)
end

---@param answer table to `status`
---@param now_ms integer
---@return string instance
---@return integer process
function Top:look(answer, now_ms)
  local first = answer.consumers[1]
  if not answer.usage or first and not (first.errors and first.workers.changes) then
    error("the lagoon that runs is of another version, and does not say enough; lagoon status "
      .. "shows what it says", 0)
  end
  local view, looks = self.view, self.view.looks
  looks[#looks + 1] = answer
  while #looks > 2 and answer.uptime_ms - looks[1].uptime_ms > KEPT_MS do
    table.remove(looks, 1)
  end
  view.now_ms, view.silent_s = now_ms, nil
  if self.noted_ms and now_ms - self.noted_ms > NOTE_MS then
    view.note = nil
  end
  return answer.instance, answer.process
end

---There is no answer any more.
---@param seconds number since when
function Top:miss(seconds)
  self.view.silent_s = seconds
end

---What came of a command.
---@param text string
---@param now_ms integer
function Top:tell(text, now_ms)
  self.view.note, self.noted_ms = text:match("[^\n]*"), now_ms
end

---@param width integer
---@param height integer
---@return string
function Top:draw(width, height)
  local lines = frame.draw(self.view, math.max(width, 1), math.max(height, 1))
  return "\27[H" .. table.concat(lines, "\27[K\r\n") .. "\27[K\27[J"
end

local function move(view, by)
  local names = {}
  for i, one in ipairs(frame.see(view).consumers) do
    names[i] = one.status.name
    names[names[i]] = i
  end
  local at = math.max(1, math.min(#names, (names[view.chosen] or 1) + by))
  view.chosen = names[at]
end

local function ask_pause(view)
  move(view, 0)
  for _, consumer in ipairs(view.looks[#view.looks].consumers) do
    if consumer.name == view.chosen then
      view.confirm = { command = consumer.is_paused and "resume" or "pause",
        consumer = consumer.name }
    end
  end
end

local ACTIONS = {
  up = function(view) move(view, -1) end,
  down = function(view) move(view, 1) end,
  p = ask_pause,
  ["?"] = function(view) view.is_helping = true end,
  s = function(view)
    for i, sort in ipairs(frame.SORTS) do
      if sort == view.sort then
        view.sort = frame.SORTS[i % #frame.SORTS + 1]
        return
      end
    end
  end,
}

---@param view lagoon.top.View
---@param key string
---@return string? command quit, pause, resume
---@return string? consumer
local function press(view, key)
  local confirm = view.confirm
  view.note = nil
  if confirm then
    view.confirm = nil
    if key == "y" or key == "Y" then
      return confirm.command, confirm.consumer
    end
  elseif view.is_helping then
    view.is_helping = false
  elseif key == "q" or key == "Q" then
    return "quit"
  elseif ACTIONS[key] then
    ACTIONS[key](view)
  end
end

---@param bytes string what was typed
---@return string? command the first that it asks for: quit, pause, resume
---@return string? consumer
function Top:type(bytes)
  for _, key in ipairs(keys.read(bytes)) do
    local command, consumer = press(self.view, key)
    if command then
      return command, consumer
    end
  end
end

return M
