local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local schema = require("lagoon.config.schema")
local unit = require("unit")

local CONFIGURATION = directory.read("docs/configuration.md")
local LUA = directory.read("docs/lua.md")
local ANNOTATIONS = directory.read("lua/lagoon.d.lua")

local function sorted(list)
  table.sort(list)
  return list
end

-- ---- config.lua ----

-- A row that is no record, with the path that the documents give it.
local function add_rows(rows, row, path)
  if row.type ~= "record" or row.default ~= nil then
    rows[path] = row
  end
  if path == "clusters" then
    return rows -- what one has stands under `cluster`
  end
  local inner = row.type == "map" and row.of.type == "record" and row.of or row
  for _, field in ipairs(inner.fields or {}) do
    local name = inner == row and field.key or "NAME." .. field.key
    add_rows(rows, field, path == "" and name or path .. "." .. name)
  end
  return rows
end

local function literal(value)
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

local function default_of(row)
  if row.required then
    return "required"
  elseif row.default ~= nil then
    return "`" .. literal(row.default) .. "`"
  end
  return row.default_doc or row.type == "map" and "`{}`" or "none"
end

local function documented_keys()
  local keys = {}
  for heading, prefix in pairs({ ["## Top level"] = "", ["## cluster"] = "cluster.",
    ["## topics.NAME"] = "topics.NAME.",
    ["## producers.NAME"] = "producers.NAME.", ["## consumers.NAME"] = "consumers.NAME." }) do
    for _, cells in ipairs(docs.rows(docs.section(CONFIGURATION, heading))) do
      keys[prefix .. cells[1]:match("^`(.+)`$")] = { default = cells[2], text = cells[3],
        reach = cells[4] or "" }
    end
  end
  return keys
end

-- What its annotation says of its type, all of these.
local function type_marks(row)
  local marks = { integer = "integer", boolean = "boolean", duration = "lagoon.Duration",
    size = "lagoon.Size", list = "[]", map = "table<", record = "lagoon." }
  local list = {}
  for _, value in ipairs(row.values or {}) do
    table.insert(list, literal(value))
  end
  if row.type ~= "enum" then
    table.insert(list, marks[row.type] or "string")
  end
  table.insert(list, row.optional and "false" or nil)
  return list
end

describe("the reference of config.lua", function()
  local rows = add_rows({}, schema, "")

  it("lists every key with its default, and no other", function()
    local expected, listed = {}, {}
    for path, row in pairs(rows) do
      expected[path] = default_of(row)
    end
    for path, key in pairs(documented_keys()) do
      listed[path] = key.default
    end
    assert.same(expected, listed)
  end)

  it("names every value that a key can have", function()
    local keys = documented_keys()
    for path, row in pairs(rows) do
      for _, value in ipairs(row.values or {}) do
        local key = keys[path]
        assert((key.default .. key.text):find("`" .. literal(value) .. "`", 1, true),
          path .. " does not name " .. literal(value))
      end
      local text = row.optional and keys[path].default .. keys[path].text
      assert(not text or text:find("`false`", 1, true), path .. " does not name `false`")
    end
  end)

  it("says what a reload brings, and what takes more", function()
    for path, key in pairs(documented_keys()) do
      assert.equal(unit.config.reach(path), key.reach, path)
    end
  end)

  it("is what an editor completes", function()
    local paths = { Config = "", ClusterConfig = "cluster.",
      TlsConfig = "cluster.tls.", SaslConfig = "cluster.sasl.", TopicConfig = "topics.NAME.",
      ProducerConfig = "producers.NAME.", ConsumerConfig = "consumers.NAME.",
      ErrorConfig = "consumers.NAME.on_error.",
      WorkersConfig = "consumers.NAME.workers.", WindowConfig = "consumers.NAME.window.",
      AdminConfig = "admin.", LogConfig = "log.", LuaConfig = "lua.",
      SharedConfig = "shared." }
    local classes = docs.annotations(ANNOTATIONS)
    local expected, annotated = {}, {}
    for path, row in pairs(rows) do
      expected[path] = row.required and "required" or "optional"
    end
    for class, prefix in pairs(paths) do
      for _, field in ipairs(classes["lagoon." .. class]) do
        local row = rows[prefix .. field.name]
        local is_record = field.type:find("lagoon%.%u%a+Config") and not field.type:find("^table<")
        if row or not is_record then
          annotated[prefix .. field.name] = field.is_optional and "optional" or "required"
        end
        for _, mark in ipairs(row and type_marks(row) or {}) do
          assert(field.type:find(mark, 1, true),
            ("%s%s: %s is not in its type"):format(prefix, field.name, mark))
        end
        local default = row and row.default ~= nil and literal(row.default)
        assert(not default or field.type:find(default, 1, true),
          prefix .. field.name .. " does not name its default " .. tostring(default))
      end
    end
    assert.same(expected, annotated)
  end)
end)

-- ---- the Lua API ----

local CONFIG = [[
return {
  cluster = { brokers = "localhost:9092" },
  producers = { it = { topic = "orders" } },
  consumers = { it = { topic = "orders", group = "it", handlers = { Probe = "probe" } } },
}
]]

-- A handler that fails with the names of all that a script can use.
local PROBE = [[
local lagoon = require("lagoon")
return function(_, context)
  local names = {}
  local function add(members, path, separator)
    for name, value in pairs(members) do
      if type(value) == "table" then
        add(value, path .. "." .. name, ".")
      else
        names[#names + 1] = path .. (separator or type(value) == "function" and ":" or ".") .. name
      end
    end
  end
  local producer = lagoon.producer("it")
  add(lagoon, "lagoon", ".")
  add(debug.getmetatable(producer).__index, "producer", ":")
  add(debug.getregistry()["lagoon.delivery"].__index, "delivery", ":")
  local _, methods = debug.getupvalue(debug.getregistry()["lagoon.shared"].__index, 1)
  add(methods, "store", ":")
  local _, members = debug.getupvalue(debug.getmetatable(context).__index, 2)
  add(members, "context")
  local _, message = pcall(producer.publish, producer, "T", {}, { [""] = 1 })
  for name in message:match("there are (.*)"):gmatch("%a+") do
    names[#names + 1] = "options." .. name
  end
  return false, table.concat(names, " ")
end
]]

local function real_names()
  local path = directory.with({ ["config.lua"] = CONFIG, ["scripts/probe.lua"] = PROBE })
  local _, text = unit.bindings.handle(path .. "/config.lua", path .. "/scripts",
    { value = "{}", headers = { { "Message-Type", "Probe" } } })
  local names = {}
  for name in text:gmatch("%S+") do
    assert(name:find("^[%a.:_]+$"), text)
    table.insert(names, name)
  end
  return sorted(names)
end

describe("the reference of the Lua API", function()
  it("lists everything that a script can use, and nothing else", function()
    local owners = { lagoon = true, producer = true, delivery = true, context = true,
      options = true, store = true }
    local names = {}
    for _, cells in ipairs(docs.rows(LUA)) do
      for _, span in ipairs(docs.code_spans(cells[1])) do
        local name, owner = span:match("^((%a+)[%w_.:]*)")
        if name and owners[owner] then
          table.insert(names, name)
        end
      end
    end
    assert.same(real_names(), sorted(names))
  end)

  it("is what an editor completes", function()
    local owners = { lagoon = "lagoon", ["lagoon.Context"] = "context",
      ["lagoon.PublishOptions"] = "options" }
    local locals = { Context = "context", Producer = "producer", Delivery = "delivery",
      Shared = "store" }
    local classes, functions = docs.annotations(ANNOTATIONS)
    local names = {}
    for class, owner in pairs(owners) do
      for _, field in ipairs(classes[class]) do
        if not field.type:find("^lagoon%.[JL]") and field.type ~= "lagoon.Http" then
          table.insert(names, owner .. "." .. field.name)
        end
      end
    end
    for _, name in ipairs(functions) do
      if name:find("[.:]") then
        table.insert(names, (name:gsub("^%u%a+", locals)))
      end
    end
    assert.same(real_names(), sorted(names))
  end)

  it("is annotated in a file that Lua can read", function()
    assert.is_function(loadfile("lua/lagoon.d.lua", "t"))
  end)
end)
