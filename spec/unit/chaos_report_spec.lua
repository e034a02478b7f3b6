-- What a run of make chaos says of each promise, from what the oracle has seen.

local directory = require("spec.support.directory")
local report = require("spec.chaos.report")
local verdicts = require("spec.support.oracle_verdicts")

---A run of one partition in which the first `handled` of `total` records ended.
local function play(handled, total, committed, scenario)
  local path = directory.new() .. "/ledger"
  local judged = verdicts.new(path, true)
  local lines = {}
  for offset = 0, handled - 1 do
    for _, mark in ipairs({ "B", "E" }) do
      table.insert(lines, ("%s 100 1 1 0 %d 0 0 %d key\n"):format(mark, offset, offset + 1))
    end
  end
  directory.write(path, table.concat(lines))
  judged:read()
  judged:judge_commit({ [0] = committed })
  return {
    scenario = scenario,
    judge = { verdicts = judged, partitions = 1, topic = "orders", samples = 1,
      end_offsets = function() return { [0] = total } end },
    members = { wrong = {}, all = {} },
    bound = { faults = 0, rate = 0, window = 0, ahead = 0, total = function() return 0 end },
    traffic = { writer = { counts = function() return total end } },
    letters = {}, publishing = {}, leftovers = 0,
  }
end

local function find(rig, letter)
  for _, verdict in ipairs(report.collect(rig)) do
    if verdict.letter == letter then
      return verdict.is_good, verdict.text
    end
  end
end

describe("The report of make chaos", function()
  local fills = { fills = true, drains = false }

  it("does not want all handled of a run that need not drain, but what was handled committed",
    function()
      local left = play(3, 100000, 3, fills)
      assert.is_true(find(left, "L"))
      assert.same({ true, "99997 are left to handle; 0 partitions stand behind what was handled" },
        { find(left, "Q") })
      assert.same({ false,
        "99997 are left to handle; 1 partitions stand behind what was handled: [0]@2 of 3" },
        { find(play(3, 100000, 2, fills), "Q") })
    end)

  it("calls lost what a commit has passed, also when the run need not drain", function()
    local passed = play(3, 10, 5, fills)
    assert.same({ false, "2 of 10 records of orders lost: [0]@3 [0]@4" }, { find(passed, "L") })
    assert.is_false((find(passed, "S")))
  end)

  it("names the first of many that were not handled in time, and counts the others", function()
    local late = play(0, 1000, 0, {})
    late.stopped_by = "waited 60000 ms"
    local is_good, text = find(late, "Q")
    assert.is_false(is_good)
    assert.truthy(text:find("^waited 60000 ms; 1000 not handled: %[0%]@0 %[0%]@1 .* and 980 more$"))
  end)
end)
