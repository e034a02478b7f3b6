local new = require("unit").letter_marks.new

---Sees all letters and takes those that are asked for.
local function walk(marks, letters, takes)
  for _, offset in ipairs(letters) do
    marks:see(offset)
    if takes(offset) and not marks:is_taken(offset) then
      marks:take()
    end
  end
end

describe("what is remembered of letters", function()
  it("is the offset alone where none stays", function()
    local marks = new(10)
    walk(marks, { 10, 11, 14 }, function() return true end)
    assert.same({ 15, "" }, { marks:write() })
    marks:pass(17)
    assert.same({ 17, "" }, { marks:write() })
  end)

  it("stays at the first letter that stays, with what lies behind it beside", function()
    local marks = new(0)
    walk(marks, { 0, 1, 2, 3, 4, 5 }, function(offset) return offset ~= 1 and offset < 5 end)
    assert.same({ 1, "lagoon1:1 3" }, { marks:write() })
    local later = new(marks:write())
    for offset, is_taken in pairs({ false, true, true, true, false }) do
      assert.equal(is_taken, later:is_taken(offset))
    end
  end)

  it("moves on when what stayed is taken at last", function()
    local marks = new(1, "lagoon1:1 3")
    walk(marks, { 1, 2, 3, 4 }, function() return true end)
    assert.same({ 5, "" }, { marks:write() })
  end)

  it("counts nothing as taken because nobody looked", function()
    local marks = new(3)
    assert.same({ 3, "" }, { marks:write() })
    marks:see(3)
    assert.same({ 3, "" }, { marks:write() })
    marks:pass(9)
    assert.same({ 3, "" }, { marks:write() })
  end)

  it("loses what retention has removed", function()
    local marks = new(1, "lagoon1:1 3 5 2")
    marks:raise(3)
    assert.same({ 5, "lagoon1:5 2" }, { marks:write() })
    marks:raise(20)
    assert.same({ 20, "" }, { marks:write() })
  end)

  it("is nothing where the text is another's, or cut off", function()
    for _, text in ipairs({ "", "hello", "lagoon1:", "lagoon1:x-", "lagoon1:-3 4",
      "lagoon1:0 1" }) do
      local marks = new(7, text)
      assert.same({ 7, "" }, { marks:write() }, text)
    end
    assert.same({ 7, "lagoon1:1 2" }, { new(7, "lagoon1:1 2 3"):write() })
  end)

  it("has no room for a broker's metadata and more", function()
    local marks, offset = new(0), 0
    while marks:has_room() do
      marks:see(offset)
      marks:see(offset + 1)
      marks:take()
      offset = offset + 2
    end
    local _, text = marks:write()
    assert.is_true(#text <= 4000 and #text > 3900, #text)
    assert.is_true(offset >= 1900, offset)
  end)

  it("never takes a letter for another, however often some are taken", function()
    math.randomseed(7)
    for _ = 1, 300 do
      local letters, taken, base, text, low = {}, {}, 0, nil, 0
      for offset = 0, 60 do
        if math.random() < 0.8 then
          table.insert(letters, offset)
        end
      end
      for _ = 1, 6 do
        local marks, share, limit = new(base, text), math.random(), math.random(0, 61)
        low = math.random() < 0.2 and low + math.random(0, 8) or low
        marks:raise(low)
        for _, offset in ipairs(letters) do
          local is_new = not marks:is_taken(offset)
          if offset >= base and offset >= low and offset < limit then
            assert.equal(taken[offset] or false, not is_new)
            marks:see(offset)
            if is_new and math.random() < share then
              marks:take()
              taken[offset] = true
            end
          end
        end
        if limit == 61 then
          marks:pass(61)
        end
        base, text = marks:write()
        local later = new(base, text)
        for _, offset in ipairs(letters) do
          if offset >= low then
            assert.equal(taken[offset] or false, offset < base or later:is_taken(offset))
          end
        end
      end
    end
  end)
end)
