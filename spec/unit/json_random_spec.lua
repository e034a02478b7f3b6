local cjson = require("cjson.safe")
local documents = require("spec.support.json_documents")
local json = require("unit").json

local SEED, DOCUMENTS = 20240229, 10000

local all

---Calls check(value, text) for all documents; what it returns is a problem.
local function for_each(check)
  for number, document in ipairs(all) do
    local problem = check(document.value, document.text)
    if problem then
      error(("document %d: %s:\n%s"):format(number, problem, document.text), 0)
    end
  end
end

---Whether two tables have the same keys and, by `is_equal`, values.
local function is_like(a, b, is_equal)
  for key, value in next, a do
    local other = rawget(b, key)
    if other == nil or not is_equal(value, other) then
      return false
    end
  end
  for key in next, b do
    if rawget(a, key) == nil then
      return false
    end
  end
  return true
end

---Equal as lagoon means it: integers are not floats, -0.0 is not 0.0, arrays are marked.
local function is_same(a, b)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then
    return false
  elseif math.type(a) == "float" then
    return a == b and 1 / a == 1 / b
  elseif type(a) ~= "table" then
    return a == b
  end
  return json.is_marked(a) == json.is_marked(b) and is_like(a, b, is_same)
end

---What lua-cjson reads: it knows no integers, so each is the double next to it, and it marks no
---arrays, so that an empty one is like an empty object.
local function is_as_cjson_reads(ours, theirs)
  if type(ours) == "number" then
    return type(theirs) == "number" and ours + 0.0 == theirs
  elseif type(ours) == "table" and type(theirs) == "table" then
    return is_like(ours, theirs, is_as_cjson_reads)
  end
  return ours == theirs
end

---What is left of a value when lua-cjson writes it: 14 digits of each number, also of an integer,
---and no difference between integers and integral floats, nor between empty arrays and objects.
local function is_as_cjson_writes(ours, read_back)
  if type(ours) == "number" then
    return type(read_back) == "number" and
      (ours == read_back or math.abs(ours - read_back) <= math.abs(ours + 0.0) * 1e-13 + 1e-323)
  elseif type(ours) == "table" and type(read_back) == "table" then
    return is_like(ours, read_back, is_as_cjson_writes)
  end
  return ours == read_back
end

---Whether a number in the value is so large that its 14 digits are no double any more.
local function rounds_to_infinity(value)
  if type(value) == "table" then
    for _, inner in next, value do
      if rounds_to_infinity(inner) then
        return true
      end
    end
  end
  return type(value) == "number" and tonumber(("%.14g"):format(value)) + 0.0 == math.huge
end

describe("json, on 10,000 random documents,", function()
  setup(function()
    math.randomseed(SEED)
    all = {}
    for number = 1, DOCUMENTS do
      local value, text = documents.next()
      all[number] = { value = value, text = text }
    end
  end)

  teardown(function()
    all = nil
  end)

  it("reads what another hand has written", function()
    for_each(function(value, text)
      local read, message = json.decode(text, "keep")
      if message or not is_same(value, read) then
        return message or "read differently"
      end
    end)
  end)

  it("reads back what it writes as an equal value, sorted or not", function()
    for_each(function(value)
      for _, sorted in ipairs({ false, true }) do
        local written, message = json.encode(value, sorted)
        if not written or not is_same(value, (json.decode(written, "keep"))) then
          return message or "read back differently"
        end
      end
    end)
  end)

  it("writes sorted what it has read sorted, byte for byte", function()
    for_each(function(value)
      local written = json.encode(value, true)
      if json.encode((json.decode(written, "keep")), true) ~= written then
        return "written differently"
      end
    end)
  end)

  it("reads what lua-cjson reads, but for integers and marks", function()
    for_each(function(_, text)
      local theirs, message = cjson.decode(text)
      if message or not is_as_cjson_reads(json.decode(text, "keep"), theirs) then
        return message or "lua-cjson reads differently"
      end
    end)
  end)

  it("writes what lua-cjson reads", function()
    for_each(function(value)
      local theirs, message = cjson.decode((json.encode(value)))
      if message or not is_as_cjson_reads(value, theirs) then
        return message or "lua-cjson reads it differently"
      end
    end)
  end)

  it("reads what lua-cjson writes, as exact as that is", function()
    for_each(function(value)
      if rounds_to_infinity(value) then
        return
      end
      local read, message = json.decode(cjson.encode(value), "keep")
      if message or not is_as_cjson_writes(value, read) then
        return message or "lua-cjson writes differently"
      end
    end)
  end)

  it("refuses every one of them that is cut short", function()
    for_each(function(value, text)
      local cut = text:sub(1, math.random(0, #text - 1))
      local is_whole = type(value) == "number" or not text:find("%S", #cut + 1)
      local _, message = json.decode(cut, "keep")
      if not message and not is_whole then
        return "accepted " .. cut
      elseif message and not message:find("^byte %d+: expected ") then
        return message
      end
    end)
  end)
end)
