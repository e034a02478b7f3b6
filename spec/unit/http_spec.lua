local unit = require("unit")

local HOST_LIMIT, LIMIT = 100, 400

describe("the turns of HTTP requests", function()
  local game

  before_each(function()
    game = unit.http.game()
  end)

  local function add(count, url)
    local numbers = {}
    for i = 1, count do
      numbers[i] = game:add(url)
    end
    return numbers
  end

  local function run_all()
    local numbers = {}
    for number in function() return game:next() end do
      table.insert(numbers, number)
    end
    return numbers
  end

  it("come to the requests of a host in their order, as many at once as it may have", function()
    local numbers = add(HOST_LIMIT + 3, "http://a/x")
    assert.same(table.move(numbers, 1, HOST_LIMIT, 1, {}), run_all())
    game:remove(numbers[7])
    game:remove(numbers[HOST_LIMIT + 1])
    assert.same({ numbers[HOST_LIMIT + 2] }, run_all())
  end)

  it("pass a host that has no room", function()
    add(HOST_LIMIT + 50, "http://slow/")
    run_all()
    local other = add(2, "http://other/")
    assert.same(other, run_all())
  end)

  it("tell servers by scheme, host and port, and by nothing else", function()
    for _, url in ipairs({ "http://a/1?x", "http://me:pw@A:80/2#y", "https://a/", "http://a:81/",
      "http://b/" }) do
      add(1, url)
    end
    assert.equal(4, select(2, game:counts()))
  end)

  it("are shared by all hosts when as many run as may in all", function()
    for host = 1, 5 do
      add(HOST_LIMIT, ("http://host%d/"):format(host))
    end
    local running = run_all()
    assert.equal(LIMIT, #running)
    local of_host = { 0, 0, 0, 0, 0 }
    for _, number in ipairs(running) do
      local host = (number - 1) // HOST_LIMIT + 1
      of_host[host] = of_host[host] + 1
    end
    assert.same({ 80, 80, 80, 80, 80 }, of_host)
    game:remove(running[1])
    assert.equal(1, #run_all())
  end)

  it("remember no host that nobody asks", function()
    local numbers = add(3, "http://a/")
    run_all()
    for _, number in ipairs(numbers) do
      game:remove(number)
    end
    assert.same({ 0, 0 }, { game:counts() })
  end)
end)
