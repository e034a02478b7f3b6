-- What scripts find around them.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")

local TRIES = [[
local cjson = require("cjson")
local journal = require("journal")
local lagoon = require("lagoon")

at_top, not_yet = "set at the top", nil
-- Libraries for several versions of Lua ask for what others have.
local _ = jit or setfenv

local M = {}

function M.log()
  lagoon.log.debug("not at this level")
  lagoon.log.info("plain")
  lagoon.log.warn("with fields", { n = 9007199254740993, list = { 1, 2 }, text = "a\nb", time = 1 })
  print("printed", 1, nil, true)
end
function M.env()
  return { lagoon.env("TEXT"), lagoon.env("NUMBER", 1), lagoon.env("FLAG", false),
    lagoon.env("UNSET", "default"), lagoon.env("EMPTY", 7) }
end
function M.missing() return lagoon.env("UNSET") end
function M.wrong() return lagoon.env("TEXT", 1) end
function M.secrets() return { lagoon.secret("PLAIN"), lagoon.secret("FROM_FILE") } end
function M.no_secret() return lagoon.secret("UNSET") end
function M.uuid() return { lagoon.uuid(), lagoon.uuid() } end
function M.null()
  return { lagoon.null == cjson.null, lagoon.json.decode("[null]")[1] == lagoon.null,
    cjson.decode("[null]")[1] == lagoon.null, require("cjson.safe").decode("{") == nil }
end
function M.json()
  local array = lagoon.json.array
  return { lagoon.json.encode({}), lagoon.json.encode(array({})),
    lagoon.json.encode(lagoon.json.decode("[[],{}]")) }
end
function M.modules() return { require("services.count").add(), require("services.count").add() } end
function M.shadow() return { require("lagoon") == lagoon, require("string") == string } end
function M.exit() os.exit(0) end
function M.locale() return os.setlocale("C") end
function M.context_field(context) return context.nothing end
function M.globals() return { tostring(rawget(_G, "lagoon")), at_top, not_yet == nil,
  (jit or setfenv) == nil } end
function M.misspelt() return tostrng(1) end
function M.no_lagoon() return _G.lagoon end
function M.older() return unpack({ 1 }) end
function M.forgotten_local() total = 1 end
function M.hook() debug.sethook() end
function M.compiled()
  local chunk = string.dump(function() return 1 end)
  local loaded, message = load(chunk, "=compiled", "b")
  return { loaded == nil, message, load("return ...", "=text")(7), load("return x", "=text", "t",
    { x = 8 })(), load(function() end)() == nil }
end
function M.files()
  local folder = lagoon.env("FOLDER")
  return { dofile(folder .. "/plain.lua"), loadfile(folder .. "/plain.lua")(),
    (pcall(dofile, folder .. "/compiled.lua")), (loadfile(folder .. "/compiled.lua", "b")) == nil }
end

return function(event, context)
  local ok, result = pcall(M[event.try], context)
  journal.note({ try = event.try, result = ok and result or nil,
    message = not ok and result or nil })
end
]]

local COUNT = [[
local M = {}
local count = 0
function M.add()
  count = count + 1
  return count
end
return M
]]

describe("a script", function()
  local broker, app, lagoon, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("tries", 1)
    app = application.new(broker.brokers, { consumers = { c = { topic = topic, group = topic,
      workers = 1, handlers = { Try = "handlers.tries" } } } }, {
      ["handlers/tries"] = TRIES,
      ["services/count/init"] = COUNT,
      -- Nothing of the scripts stands before what the program brings.
      lagoon = "error('the wrong lagoon')",
      cjson = "error('the wrong cjson')",
    })
    directory.write(app.folder .. "/secret", "from a file\n")
    directory.write(app.folder .. "/plain.lua", "return 'plain'")
    directory.write(app.folder .. "/compiled.lua", string.dump(function() return 1 end))
    lagoon = app:start({ "run" }, { env = { TEXT = "text", NUMBER = "2.5", FLAG = "true",
      EMPTY = "", UNSET = false, UNSET_FILE = false, PLAIN = "plain",
      FROM_FILE_FILE = app.folder .. "/secret", FOLDER = app.folder } })
    lagoon:wait_assigned("c")
  end)

  local function try(name)
    broker:produce(topic, { { key = "k", value = ('{"try":"%s"}'):format(name) } },
      { headers = { { "Message-Type", "Try" } } })
    local entries = app:wait_journal(1, { try = name })
    return entries[#entries].result, entries[#entries].message
  end

  local function assert_raises(name, message)
    local result, raised = try(name)
    assert.is_nil(result)
    assert.equal(message, ((raised or "nothing"):gsub("^scripts/handlers/tries%.lua:%d+: ", "")))
  end

  it("logs at four levels, with fields and with the record it is about", function()
    try("log")
    local record = topic .. "[0]@0"
    assert.same({ "info", record }, { lagoon:wait_log("^plain$").level,
      lagoon:wait_log("^plain$").record })
    local line = lagoon:wait_log("^with fields$")
    assert.same({ "warn", { 1, 2 }, "a\nb", 1, record }, { line.level, line.list, line.text,
      line.time_, line.record })
    assert.is_true(lagoon.process:count('"n":9007199254740993') == 1)
    assert.equal(record, lagoon:wait_log("^printed 1 nil true$").record)
    assert.same({}, lagoon:log("not at this level"))
  end)

  it("reads variables as its defaults want them", function()
    assert.same({ "text", 2.5, true, "default", 7 }, (try("env")))
    assert_raises("missing", "lagoon.env: the environment variable UNSET is not set")
    assert_raises("wrong", "lagoon.env: TEXT must be a number, like its default")
  end)

  it("reads secrets from variables and from files", function()
    assert.same({ "plain", "from a file" }, (try("secrets")))
    assert_raises("no_secret", "lagoon.secret: neither UNSET nor UNSET_FILE is set")
  end)

  it("shares null with lua-cjson and keeps empty arrays", function()
    assert.same({ true, true, true, true }, (try("null")))
    assert.same({ "{}", "[]", "[[],{}]" }, (try("json")))
  end)

  it("makes random UUIDs", function()
    local made = try("uuid")
    assert.not_equal(made[1], made[2])
    assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-", made[1])
  end)

  it("loads a module once, and none of its own in the place of the program's", function()
    assert.same({ 1, 2 }, (try("modules")))
    assert.same({ true, true }, (try("shadow")))
    assert.same({ "nil", "set at the top", true, true }, (try("globals")))
  end)

  it("cannot end the process or change it for others", function()
    assert_raises("exit", "os.exit is not available: it would affect the whole process")
    assert_raises("locale", "os.setlocale is not available: it would affect the whole process")
  end)

  it("is told of a global that nobody has set, and sets none but at the top of a file", function()
    assert_raises("misspelt", "undefined global 'tostrng', did you mean 'tostring'?")
    assert_raises("no_lagoon",
      [[undefined global 'lagoon'; write local lagoon = require("lagoon") at the top]])
    assert_raises("older", "attempt to call a nil value (global 'unpack')")
    assert_raises("forgotten_local",
      "sets the global 'total', which no file declares; write local in front")
  end)

  it("loads text only, and takes no limit off", function()
    assert.same({ true, "attempt to load a binary chunk (mode is 't')", 7, 8, true },
      (try("compiled")))
    assert.same({ "plain", "plain", false, true }, (try("files")))
    assert_raises("hook", "debug.sethook is not available: what limits handlers stands on it")
  end)

  it("is told of a context's field that does not exist", function()
    assert_raises("context_field", "context has no field 'nothing'")
  end)
end)
