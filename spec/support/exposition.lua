-- Prometheus' text format 0.0.4, read strictly: what promtool complains of raises here too.

local M = {}

local ESCAPED = { ["\\"] = "\\", ['"'] = '"', n = "\n" }

-- {name = value}, from what stands between the braces.
local function parse_labels(text, line)
  local labels, at = {}, 1
  while at <= #text do
    local name, value_at = text:match('^([%a_][%w_]*)="()', at)
    if not name then
      error("no sample: " .. line, 0)
    end
    -- The end is the first quote that no backslash escapes.
    local finish = value_at
    while text:sub(finish, finish) ~= '"' do
      finish = finish + (text:sub(finish, finish) == "\\" and 2 or 1)
      if finish > #text then
        error("no sample: " .. line, 0)
      end
    end
    labels[name] = text:sub(value_at, finish - 1):gsub("\\(.)", ESCAPED)
    local behind = finish + 1
    at = text:sub(behind, behind) == "," and behind + 1 or behind
    if at == behind and at <= #text then
      error("no sample: " .. line, 0)
    end
  end
  return labels
end

local function key_of(name, labels)
  local parts = {}
  for label, value in pairs(labels) do
    table.insert(parts, ("%s=%q"):format(label, value))
  end
  table.sort(parts)
  return name .. "{" .. table.concat(parts, ",") .. "}"
end

local function parse_sample(line)
  local name, rest = line:match("^([%a_:][%w_:]*)(.*)$")
  if not name then
    error("no sample: " .. line, 0)
  end
  local inner, value = rest:match("^{(.*)} (%S+)$")
  if not inner then
    inner, value = "", rest:match("^ (%S+)$")
  end
  local number = tonumber(value)
  if not number then
    error("no sample: " .. line, 0)
  end
  return { name = name, labels = parse_labels(inner, line), value = number }
end

-- The family that a sample is of.
local function family_of(families, name)
  local base = name:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")
  local histogram = families[base]
  return families[name] or histogram and histogram.type == "histogram" and histogram
end

local function check_family(family)
  if family.type == "counter" and not family.name:find("_total$") then
    error(family.name .. ": a counter's name ends in _total", 0)
  elseif family.type ~= "histogram" then
    return
  end
  local last, finished = {}, {}
  for _, sample in ipairs(family.samples) do
    local labels, bound = {}, sample.labels.le
    for label, value in pairs(sample.labels) do
      labels[label] = label ~= "le" and value or nil
    end
    local key = key_of(family.name, labels)
    if sample.name:find("_bucket$") then
      if last[key] and sample.value < last[key] then
        error(key .. ": a bucket falls below the one before", 0)
      end
      last[key], finished[key] = sample.value, bound == "+Inf"
    elseif sample.name:find("_count$") and (not finished[key] or last[key] ~= sample.value) then
      error(key .. ": the bucket +Inf is not the count", 0)
    end
  end
end

local function begin(state, word, name, text)
  local family = state.families[name] or { name = name, samples = {} }
  if family[word] then
    error(name .. " has " .. word .. " twice", 0)
  end
  family[word] = text
  state.families[name], state.current = family, family
end

local function take(state, line)
  local sample = parse_sample(line)
  local family = family_of(state.families, sample.name)
  local key = key_of(sample.name, sample.labels)
  if not family or not family.type or not family.help then
    error(sample.name .. " has no TYPE and HELP in front", 0)
  elseif family ~= state.current then
    error(sample.name .. " stands apart from the others of its name", 0)
  elseif state.seen[key] then
    error(key .. " is there twice", 0)
  end
  state.seen[key] = sample.value
  table.insert(family.samples, sample)
end

---@class spec.Exposition
---@field families table<string, table> by name: {type, help, samples}
---@field seen table<string, number> by name and labels

---Raises at what is no such text.
---@param text string
---@return spec.Exposition
function M.parse(text)
  local state = { families = {}, seen = {} }
  if text:sub(-1) ~= "\n" then
    error("the last line has no newline", 0)
  end
  for line in text:gmatch("([^\n]*)\n") do
    local word, name, rest = line:match("^# (%u+) (%S+) (.+)$")
    if word == "HELP" or word == "TYPE" then
      begin(state, word:lower(), name, rest)
    else
      take(state, line)
    end
  end
  for _, family in pairs(state.families) do
    check_family(family)
  end
  return state
end

---@param parsed spec.Exposition
---@param name string
---@param labels? table<string, string>
---@return number? # nil: there is no such sample
function M.value(parsed, name, labels)
  return parsed.seen[key_of(name, labels or {})]
end

return M
