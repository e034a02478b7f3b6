-- Walks a config along the schema: reports what is wrong, gives it back with defaults, in the units
-- the runtime works with.
--
-- A record becomes a table of its fields with `place`, such as config.lua:12; a map a list, in the
-- order of the file, of records with `name`, or of {name, value, place}.

local places = require("lagoon.config.place")
local types = require("lagoon.config.types")
local unknown = require("lagoon.config.unknown")

local M = {}

-- Some are looked up later, and what is wrong with them then has a place too.
local function with_place(row, value, place)
  if row.has_place and value ~= nil then
    return { value = value, place = place.report:place(place.entry) }
  end
  return value
end

local function default(row, place)
  if row.type == "record" and row.default == false then
    return nil
  elseif row.type == "record" or row.type == "map" then
    return M.walk(row, {}, place)
  elseif row.default ~= nil then
    return with_place(row, (types[row.type](row.default, row, place.natives)), place)
  end
end

-- In place of a value that depends on a missing variable.
local function stand_in(row, place)
  if row.type == "brokers" then
    return "localhost:9092"
  end
  local value = default(row, place)
  return value == nil and row.min or value
end

-- What a message may show of it.
local function shown(row, given)
  if not row.secret then
    return given
  end
end

-- What --set gave as a number or a word may have been meant as text.
local function parse(row, given, place)
  if row.secret and type(given) == "string" and not place.report:holds_stand_in(given) then
    place.report:add_secret(given)
  end
  local raw = place.entry.raw
  local value, must, meant, part = types[row.type](given, row, place.natives)
  if value == nil and raw and type(given) ~= "string" then
    value = types[row.type](raw, row, place.natives)
    if value ~= nil and row.secret then
      place.report:add_secret(raw)
    end
  end
  return value, must, meant, part
end

local function walk_value(row, given, place)
  local value, must, meant, part = parse(row, given, place)
  if value ~= nil then
    return with_place(row, value, place)
  elseif place.report:holds_stand_in(part or given) then
    return stand_in(row, place)
  end
  place:problem(must, shown(row, part or given), meant)
end

local function walk_field(field, given, place)
  local child = place:child(field.key)
  if given[field.key] ~= nil then
    return M.walk(field, given[field.key], child)
  elseif field.has_no_default then
    return nil
  elseif not field.required then
    return default(field, child)
  elseif not place.suspects[field.key] then
    place.report:problem(place.entry, child.path, "is missing")
  end
end

-- What may stand in place of a table: `workers = 4`, `tls = true`, `on_error = "stop"`.
local function walk_short(row, given, place)
  local short = row.short
  if place.report:holds_stand_in(given) then
    return default(row, place)
  elseif not short or type(given) ~= short.of then
    place:problem("must be " .. (short and short.must or "a table"), shown(row, given))
    return nil
  end
  local value = walk_value(short, given, place)
  local record = value ~= nil and short.expand(value, place)
  return record and M.walk(row, record, place) or nil
end

local function walk_record(row, given, place)
  if type(given) ~= "table" then
    return walk_short(row, given, place)
  end
  place:report_doubles()
  unknown.report(row, given, place)
  local record = { place = place.report:place(place.entry) }
  for _, field in ipairs(row.fields) do
    record[field.key] = walk_field(field, given, place)
  end
  if row.check then
    row.check(record, given, place)
  end
  return record
end

local function walk_item(row, key, given, place)
  if type(key) ~= "string" then
    place:problem("must have a name, such as " .. row.example)
    return nil
  end
  local _, must = types[row.names](key, row, place.natives)
  if must then
    place:problem(must, key)
  end
  local value = M.walk(row.of, given, place)
  if row.of.type ~= "record" then
    return { name = key, value = value, place = place.report:place(place.entry) }
  elseif value then
    value.name = key
  end
  return value
end

local function walk_map(row, given, place)
  if type(given) ~= "table" then
    place:problem("must be a table such as {" .. row.example .. "}", given)
    return nil
  end
  place:report_doubles()
  local list = {}
  for _, key in ipairs(place:keys(given)) do
    list[#list + 1] = walk_item(row, key, given[key], place:child(key))
  end
  if row.check then
    row.check(list, given, place)
  end
  return list
end

local function walk_list(row, given, place)
  local is_list = type(given) == "table" and #place:keys(given) == #given
  if not is_list or #given == 0 and not row.may_be_empty then
    place:problem(row.may_be_empty and "must be a list" or "must be a list of at least one", given)
    return nil
  end
  local list = {}
  for i, value in ipairs(given) do
    list[#list + 1] = M.walk(row.of, value, place:child(i))
  end
  if row.check then
    row.check(list, given, place)
  end
  return list
end

local walkers = { record = walk_record, map = walk_map, list = walk_list }

---@param row lagoon.config.Row
---@param given any
---@param place lagoon.config.Place
---@return any # nil when it is wrong
function M.walk(row, given, place)
  if type(given) == "table" and place.report:holds_stand_in(given) then
    return row.type == "map" and {} or nil
  end
  return (walkers[row.type] or walk_value)(row, given, place)
end

---@param row lagoon.config.Row
---@param given table
---@param entry lagoon.config.Entry where its source stands
---@param report lagoon.config.Report
---@param options lagoon.config.Options
---@param natives lagoon.config.Natives
---@return table?
function M.check(row, given, entry, report, options, natives)
  return M.walk(row, given, places.top(given, entry, report, options, natives))
end

return M
