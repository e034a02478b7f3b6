-- The judge has to see what is wrong before what it says of others counts.

local directory = require("spec.support.directory")
local verdicts = require("spec.support.oracle_verdicts")

local FIRST, SECOND = 100, 200

---Verdicts over these lines: "B 100 0 7 key 3" is mark, process, partition, offset, key, number.
local function judge(lines, is_ordered)
  local path = directory.new() .. "/ledger"
  local judged = verdicts.new(path, is_ordered ~= false)
  judged.overlaps, judged.skips = {}, {}
  function judged.order.on_overlap(entry, other)
    table.insert(judged.overlaps, { entry.pid, other.pid })
  end
  function judged.order.on_skip(entry, last)
    table.insert(judged.skips, { last.number, entry.number })
  end
  function judged:add(...)
    local file = assert(io.open(path, "a"))
    for _, line in ipairs({ ... }) do
      local mark, pid, partition, offset, key, number = line:match(
        "^(%u) (%d+) (%d+) (%d+) (%S+) (%d+)$")
      file:write(("%s %s 1 1 %s %s 0 0 %s %s\n"):format(mark, pid, partition, offset, number, key))
    end
    file:close()
    self:read()
  end
  judged:add(table.unpack(lines))
  return judged
end

local function counts(judged)
  return { O = judged.counts.O or 0, S = judged.counts.S or 0, C = judged.counts.C or 0 }
end

local NOTHING = { O = 0, S = 0, C = 0 }

describe("the oracle", function()
  it("has nothing to say of records that follow each other", function()
    local judged = judge({ "B 100 0 0 a 1", "B 100 0 1 b 1", "E 100 0 1 b 1", "E 100 0 0 a 1",
      "B 100 0 2 a 2", "F 100 0 2 a 2", "B 100 0 2 a 2", "E 100 0 2 a 2" })
    judged:judge_commit({ [0] = 3 })
    assert.same(NOTHING, counts(judged))
    assert.same({ {}, {}, 3, 0, 1 }, { judged.overlaps, judged.skips, judged.handled, judged.again,
      judged.failed })
    assert.same({ "[0]@3" }, judged:missing({ [0] = 4 }))
  end)

  it("sees a record that begins while one of its key runs, or itself", function()
    assert.equal(1, judge({ "B 100 0 0 a 1", "B 100 0 1 a 1" }).counts.O)
    assert.equal(1, judge({ "B 100 0 0 a 1", "B 100 0 0 a 1" }, false).counts.O)
    assert.same(NOTHING, counts(judge({ "B 100 0 0 a 1", "B 100 0 1 a 2" }, false)))
  end)

  it("sees a record that begins before its predecessor was handled by anybody", function()
    assert.equal(1, judge({ "B 100 0 0 a 1", "E 100 0 0 a 1", "B 100 0 2 a 3" }).counts.O)
  end)

  it("sees a process that leaves out what was given to it again", function()
    local replayed = { "B 100 0 0 a 1", "E 100 0 0 a 1", "B 100 0 1 a 2", "E 100 0 1 a 2",
      "B 200 0 0 a 1", "E 200 0 0 a 1" }
    local judged = judge(replayed)
    judged:add("B 200 0 2 a 3")
    assert.same({ { { 1, 3 } }, NOTHING }, { judged.skips, counts(judged) })
    judged = judge(replayed)
    judged:add("B 200 0 1 a 2", "E 200 0 1 a 2", "B 200 0 2 a 3")
    assert.same({ {}, 2 }, { judged.skips, judged.again })
  end)

  it("tells of a key that runs in two processes, until one of them is over", function()
    local judged = judge({ "B 100 0 0 a 1", "B 200 0 0 a 1" })
    assert.same({ { SECOND, FIRST } }, judged.overlaps)
    judged = judge({ "B 100 0 0 a 1" })
    assert.equal(1, #judged:forget_process(FIRST))
    judged:add("B 200 0 0 a 1", "E 200 0 0 a 1")
    assert.same({ {}, NOTHING }, { judged.overlaps, counts(judged) })
  end)

  it("lets a leftover end without a trace in the order", function()
    local judged = judge({ "B 100 0 0 a 1", "B 200 0 0 a 1", "E 200 0 0 a 1", "B 200 0 1 a 2",
      "E 200 0 1 a 2", "E 100 0 0 a 1", "B 200 0 2 a 3" })
    assert.same({ {}, NOTHING, 1 }, { judged.skips, counts(judged), judged.again })
  end)

  it("sees a commit that passes what has not ended, and one that goes back", function()
    local judged = judge({ "B 100 0 0 a 1", "E 100 0 0 a 1", "B 100 0 1 a 2" })
    judged:judge_commit({ [0] = 1 })
    assert.same(NOTHING, counts(judged))
    judged:judge_commit({ [0] = 2 })
    assert.same({ O = 0, S = 1, C = 0 }, counts(judged))
    judged:judge_commit({ [0] = 1 })
    assert.same({ O = 0, S = 1, C = 1 }, counts(judged))
  end)

  it("lets a commit pass what may be given up, and remembers that it was not handled", function()
    local judged = judge({ "B 100 0 0 a 1", "G 100 0 0 a 1", "B 100 0 1 a 2", "E 100 0 1 a 2" })
    judged:judge_commit({ [0] = 2 })
    assert.same(NOTHING, counts(judged))
    assert.is_table(judged.given_up["0 0"])
    judged:add("B 100 0 0 a 1", "E 100 0 0 a 1")
    assert.same({ nil, 0 }, { judged.given_up["0 0"], judged.again })
  end)

  it("counts what is completed ahead of the oldest that is not", function()
    local judged = judge({ "B 100 0 0 a 1", "E 100 0 0 a 1", "B 100 0 2 c 1", "E 100 0 2 c 1",
      "B 100 0 3 d 1", "E 100 0 3 d 1" })
    assert.equal(2, judged:ahead(0))
  end)
end)
