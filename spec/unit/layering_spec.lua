local lfs = require("lfs")

local directory = require("spec.support.directory")
local layers = require("spec.support.layers")

-- From the top; a name stands for NAME.c, NAME.h and NAME_*.
local LAYERS = {
  order = {
    { "main", "testing" },
    { "verb" },
    { "application", "runtime", "broker", "dev_broker" },
    { "producers", "reload" },
    { "crew" },
    { "connections", "main_script", "dev_note" },
    { "connection" },
    { "consumer" },
    { "membership", "pool" },
    { "rebalance" },
    { "commit", "start_offsets" },
    { "assignment" },
    { "partition" },
    { "intake", "worker", "handle", "publisher", "letter_filter" },
    { "policy" },
    { "dispatcher", "script", "dead_letters" },
    { "generation" },
    { "bindings" },
    { "call", "recorder" },
    { "producer", "letter_box" },
    { "cluster" },
    { "retries", "breaker", "drain", "stall", "budget", "letter_marks" },
    { "control", "admin" },
    { "json", "config", "bundle", "library", "command_line" },
    { "http", "metrics" },
    { "record", "offsets", "inbox", "timers", "shared", "scaler", "watchdog", "input", "output" },
    { "mounts" },
    { "histogram", "errand", "faults", "statistics", "terminal" },
    { "log", "error", "thread", "units", "properties", "words", "leaves" },
    { "util", "exit_code", "first_process", "version" },
  },
  members = {
    dispatcher = { "lane", "run_queue", "strand", "taker" },
    producer = { "delivery" },
  },
  -- main asks both libraries for their versions.
  libraries = {
    ["^lua"] = { "main", "testing", "handle", "control", "letter_filter", "script",
      "bindings", "json", "config" },
    ["^lauxlib%.h$"] = { "testing", "handle", "control", "letter_filter", "script",
      "bindings", "json", "config" },
    ["^curl/"] = { "http" },
    ["^microhttpd%.h$"] = { "admin" },
    ["^librdkafka/"] = {
      "main", "broker", "connection", "connections", "consumer", "membership", "rebalance",
      "commit", "start_offsets", "partition", "intake", "dead_letters", "letter_box",
      "producer", "cluster", "verb",
      "record",
    },
  },
}

local function read_sources()
  local sources = {}
  for name in lfs.dir("runtime") do
    if name:find("%.[ch]$") then
      sources["runtime/" .. name] = directory.read("runtime/" .. name)
    end
  end
  return sources
end

describe("the layers of the runtime", function()
  it("are kept by every file", function()
    assert.are.equal("", table.concat(layers.check(read_sources(), LAYERS), "\n"))
  end)

  it("leave what decides without clock, socket, loop and log", function()
    for name, text in pairs(read_sources()) do
      local base = name:match("([%w_]+)%.[ch]$")
      for _, pure in ipairs({ "dispatcher", "lane", "run_queue", "strand", "taker", "offsets",
        "retries", "policy", "breaker", "drain", "scaler", "stall", "letter_marks" }) do
        if base == pure or base:find("^" .. pure .. "_") then
          for _, word in ipairs({ "clock_", "<time%.h>", "<sys/", "<uv%.h>", '"log%.h"' }) do
            assert.is_nil(text:find(word), name .. " has " .. word)
          end
        end
      end
    end
  end)
end)

describe("the check of the layers", function()
  local small = {
    order = { { "top" }, { "left", "right" }, { "low" } },
    members = { left = { "helper" } },
    libraries = { ["^lua"] = { "left" } },
  }

  local function problems_of(sources)
    return layers.check(sources, small)
  end

  it("accepts what goes down", function()
    assert.are.same({}, problems_of({
      ["runtime/top.c"] = '#include "left.h"\n#include "low.h"\n',
      ["runtime/left_private.h"] = '#include "helper.h"\n#include <lua.h>\n',
      ["runtime/helper.c"] = '#include "left_private.h"\n#include "right.h"\n',
    }))
  end)

  it("reports what goes up", function()
    assert.are.same({ "runtime/low.c includes left_private.h, which is above it" }, problems_of({
      ["runtime/low.c"] = '#include "left_private.h"\n',
    }))
  end)

  it("reports a circle in one layer", function()
    assert.are.same({ "left > right > left" }, problems_of({
      ["runtime/helper.c"] = '#include "right.h"\n',
      ["runtime/right.h"] = '#include "left.h"\n',
    }))
  end)

  it("reports headers of one module that include each other", function()
    assert.are.same({ "helper.h > left.h > helper.h" }, problems_of({
      ["runtime/left.h"] = '#include "helper.h"\n',
      ["runtime/helper.h"] = '#include "left.h"\n',
    }))
  end)

  it("reports a library that is another module's", function()
    assert.are.same({ "runtime/right.c includes <lua.h>" }, problems_of({
      ["runtime/right.c"] = "#include <lua.h>\n",
    }))
  end)

  it("reports a file that has no place", function()
    assert.are.same({ "runtime/leftover.c has no place in the order" }, problems_of({
      ["runtime/leftover.c"] = "",
    }))
  end)
end)
