local json = require("cjson")

local unit = require("unit")

local read = unit.statistics.read

-- With slashes as librdkafka writes them.
local function encode(value)
  return (json.encode(value):gsub("\\/", "/"))
end

local function broker(members)
  local whole = { state = "UP", nodeid = 1, outbuf_cnt = 0, waitresp_cnt = 0, txerrs = 0,
    rxerrs = 0, req_timeouts = 0, rtt = { min = 1, avg = 0, p99 = 0 }, req = { Fetch = 17 },
    toppars = { ["t-0"] = { topic = "t", partition = 0 } } }
  for name, value in pairs(members) do
    whole[name] = value
  end
  return whole
end

describe("librdkafka's statistics", function()
  it("are read for what the client has, sends and receives", function()
    local figures = read(encode({ name = "rdkafka#1", msg_cnt = 3, msg_size = 4000000000,
      msg_max = 100000, tx = 12, tx_bytes = 5, rx_bytes = 6,
      topics = { t = { topic = "t", partitions = {
        ["0"] = { fetchq_cnt = 1, fetchq_size = 100, msgs = 7 },
        ["1"] = { fetchq_cnt = 2, fetchq_size = 23 },
        ["-1"] = { fetchq_cnt = 0, fetchq_size = 0 } } } },
      cgrp = { state = "up", rebalance_cnt = 1 } }))
    assert.same({ queued_records = 3, queued_bytes = 4000000000, sent_bytes = 5,
      received_bytes = 6, fetched_bytes = 123, brokers = {} }, figures)
  end)

  it("are read for each broker", function()
    local figures = read(encode({ brokers = {
      ["a:9092/1"] = broker({ outbuf_cnt = 2, waitresp_cnt = 3, txerrs = 1, rxerrs = 4,
        req_timeouts = 5, rtt = { avg = 1500, p99 = 9000 } }) } }))
    assert.same({ { name = "a:9092/1", is_known = true, is_connected = true, waiting = 5,
      errors = 5, timeouts = 5, rtt_average_us = 1500, rtt_p99_us = 9000 } }, figures.brokers)
  end)

  it("tell one that cannot be reached from one that nobody needed", function()
    local function state(name)
      local found = read(encode({ brokers = { b = broker({ state = name }) } })).brokers[1]
      return { found.is_known, found.is_connected }
    end
    assert.same({ true, true }, state("UP"))
    assert.same({ true, true }, state("UPDATE"))
    assert.same({ true, false }, state("DOWN"))
    assert.same({ true, false }, state("TRY_CONNECT"))
    assert.same({ false, false }, state("INIT"))
  end)

  it("may have any spaces, escapes, arrays and depth", function()
    local deep = ('{"a":'):rep(30) .. "1" .. ("}"):rep(30)
    local figures = read('\n{ "x" : [1, {"tx_bytes": 9}, "]\\"}" ], "deep" :' .. deep
      .. ', "brokers": { "q\\"/1": {"state":"UP" , "txerrs" : 1 } }, "e": {}, "tx_bytes":\t7 }\n')
    assert.equal(7, figures.sent_bytes)
    assert.same({ 'q\\"/1', 1, true },
      { figures.brokers[1].name, figures.brokers[1].errors, figures.brokers[1].is_connected })
  end)

  it("that break off give what stood before", function()
    local head = '{"tx_bytes":7,'
    local text = head .. encode({ brokers = { b = broker({}) } }):sub(2)
    for length = #head, #text do
      assert.equal(7, read(text:sub(1, length)).sent_bytes)
    end
    for _, other in ipairs({ "", "[]", "7", "{]", "{\"a\"}", "{\"tx_bytes\":}" }) do
      assert.equal(0, read(other).sent_bytes)
    end
  end)

  it("keep no more brokers than there is room for", function()
    local many = {}
    for i = 1, 300 do
      many["broker-" .. i] = broker({})
    end
    assert.equal(256, #read(encode({ brokers = many })).brokers)
  end)
end)

describe("what went wrong", function()
  it("is counted, and the first line of the last sentence kept", function()
    assert.same({ 2, "orders[3]@7: it broke" },
      { unit.statistics.fault("orders[3]@7", "first", "it broke\nstack traceback:") })
    assert.same({ 1, "the broker is gone" }, { unit.statistics.fault(nil, "the broker is gone") })
    local _, long = unit.statistics.fault(nil, ("x"):rep(1000))
    assert.equal(("x"):rep(255), long)
  end)
end)
