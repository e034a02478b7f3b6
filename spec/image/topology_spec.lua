-- What docker/compose.yaml describes, as containers: an API side, and a worker side that grows and
-- shrinks while orders come.

local admin_client = require("spec.support.admin_client")
local directory = require("spec.support.directory")
local image = require("spec.support.image")
local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local lyaml = require("lyaml")
local uv = require("luv")
local wait = require("spec.support.wait")

local LAGOON = "localhost/lagoon-spec:latest"
local CONSUMER = "order-events-handler"
local ORDERS = 300

describe("the topology of docker/compose.yaml", function()
  local obstacle = image.obstacle()
  if obstacle then
    pending(obstacle)
    return
  end

  local compose = lyaml.load(directory.read("docker/compose.yaml"))
  local folder
  local all = {}

  local function start(service, listen)
    local env = { KAFKA_BROKERS = kafka.shared().brokers, LAGOON_LISTEN = listen,
      LAGOON_CONFIG = compose.services[service].environment.LAGOON_CONFIG,
      LAGOON_TOKEN = "a token" }
    local container = image.start(LAGOON, {
      arguments = compose.services[service].command,
      env = env,
      mounts = { ["/etc/lagoon"] = folder .. "/etc", ["/scripts"] = folder .. "/scripts" },
    })
    table.insert(all, container)
    return container
  end

  local function start_worker()
    local worker = start("worker", "false")
    worker.run:wait_assigned(CONSUMER)
    return worker
  end

  local function stop(container)
    uv.kill(container.pid, "sigterm")
    assert.equal(0, (container.process:wait_exit(40000)))
  end

  -- The next orders, from another client than lagoon.
  local published = 0
  local function publish()
    local records = {}
    for n = published + 1, published + ORDERS do
      local id = "T-" .. n
      table.insert(records, { key = id, value = ('{"order_id":"%s"}'):format(id) })
    end
    published = published + ORDERS
    kcat.produce(kafka.shared().brokers, "orders", records,
      { headers = { { "Message-Type", "OrderCreated" } } })
  end

  local function handled()
    local seen, count = {}, 0
    for _, container in ipairs(all) do
      for _, line in ipairs(container.run:log("^stock reserved$")) do
        if not seen[line.order_id] and line.order_id:find("^T%-") then
          seen[line.order_id], count = true, count + 1
        end
      end
    end
    return count
  end

  local function wait_handled()
    wait.till("all orders to be handled", 60000, function()
      local count = handled()
      return count == published, ("%d of %d"):format(count, published)
    end)
  end

  it("handles what another client publishes, also while workers come and go", function()
    folder = image.example()
    image.build({ tag = LAGOON })
    local api = start("api", "127.0.0.1:0")
    api.run:wait_log("^producer order%-producer is ready")
    local first = start_worker()
    publish()
    published = published + 1
    admin_client.json(admin_client.url_of(api.run), "POST",
      "/v1/producers/order-producer/OrderCreated", {
        headers = { Authorization = "Bearer a token" },
        body = ('{"order_id":"T-%d"}'):format(published),
      })
    wait_handled()

    publish()
    local second, third = start_worker(), start_worker()
    publish()
    wait_handled()

    publish()
    stop(first)
    stop(second)
    publish()
    wait_handled()
    stop(third)
    stop(api)
  end)
end)
