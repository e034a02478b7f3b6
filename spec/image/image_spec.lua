-- Both images, built and run: what is in them, and what a container of them does.

local directory = require("spec.support.directory")
local image = require("spec.support.image")
local kafka = require("spec.support.kafka")
local lagoon = require("spec.support.lagoon")
local uv = require("luv")
local wait = require("spec.support.wait")

local TARGETS = {
  { tag = "localhost/lagoon-spec:latest" },
  { tag = "localhost/lagoon-spec:minimal", target = "minimal", max_bytes = 40 * 1000 * 1000 },
}

local STOP_MS = 1000
local RELOAD_MS = 2000

local function milliseconds_of(action)
  local start = uv.hrtime()
  action()
  return (uv.hrtime() - start) / 1000000
end

-- As an editor does.
local function replace(path, text)
  directory.write(path .. ".new", text)
  assert(uv.fs_rename(path .. ".new", path))
end

describe("the images", function()
  local obstacle = image.obstacle()
  if obstacle then
    pending(obstacle)
    return
  end

  for _, target in ipairs(TARGETS) do
    describe(target.target or "default", function()
      local folder, container

      setup(function()
        image.build(target)
      end)

      it("say who they are and what they run", function()
        local is = image.inspect(target.tag)
        assert.equal("10001:10001", is.Config.User)
        assert.same({ "lagoon" }, is.Config.Entrypoint)
        assert.same({ "run", "--watch" }, is.Config.Cmd)
        assert.equal("CMD", is.Healthcheck.Test[1])
        local version = lagoon.run({ "version" }):stdout():match("^lagoon (%S+)")
        assert.equal(version, is.Labels["org.opencontainers.image.version"])
        assert.equal("MIT", is.Labels["org.opencontainers.image.licenses"])
        assert(is.Size <= (target.max_bytes or 250e6), is.Size .. " bytes")
      end)

      -- One container plays it all: a start is the dear part.
      it("handles orders as an unprivileged user, reloads, and ends at once", function()
        folder = image.example()
        container = image.start(target.tag, {
          env = { KAFKA_BROKERS = kafka.shared().brokers },
          mounts = { ["/etc/lagoon"] = folder .. "/etc", ["/scripts"] = folder .. "/scripts" },
        })
        local log = container.run
        log:wait_assigned("order-events-handler")

        local status = directory.read(("/proc/%d/status"):format(container.pid))
        assert.matches("\nUid:\t10001\t10001\t10001\t10001\n", status)
        assert.matches("\nCapEff:\t0+\n", status)
        assert.matches("\nNoNewPrivs:\t1\n", status)

        local function publish(id)
          local published = container:execute({ "lagoon", "publish", "order-producer",
            "OrderCreated" }, ('{"order_id":"%s"}\n'):format(id))
          assert(published.code == 0, published:tail())
        end
        publish("A-1")
        log:wait_log("^stock reserved$", { order_id = "A-1" })

        local script = folder .. "/scripts/services/inventory.lua"
        local changed = directory.read(script):gsub("stock reserved", "goods set aside")
        local took = milliseconds_of(function()
          replace(script, changed)
          log:wait_log("^reloaded, generation 2 ")
        end)
        assert(took <= RELOAD_MS * wait.patience, took .. " ms")
        publish("A-2")
        log:wait_log("^goods set aside$", { order_id = "A-2" })

        local health = image.inspect(target.tag).Healthcheck.Test
        local asked = container:execute({ table.unpack(health, 2) })
        assert(asked.code == 0, asked:tail())

        local stopped = milliseconds_of(function()
          uv.kill(container.pid, "sigterm")
          wait.till("the end of the first process", STOP_MS, function()
            return not uv.fs_stat("/proc/" .. container.pid)
          end)
        end)
        assert(stopped <= STOP_MS * wait.patience, stopped .. " ms")
        assert.equal(0, (container.process:wait_exit(20000)))
      end)

      it("runs the example against its own broker, with nothing mounted", function()
        container = image.start(target.tag, { arguments = { "dev" } })
        container.run:wait_log("^customer notified$", nil, 30000)
        -- A second one in the same network is another lagoon.
        local other = image.start(target.tag, { arguments = { "dev" } })
        other.run:wait_log("^embedded broker on ")
        assert.equal(0, container:execute({ "lagoon", "status" }).code)
        container.process:signal("sigterm")
        assert.equal(0, (container.process:wait_exit(30000)))
      end)

      it("warns of a script that is mounted as a single file", function()
        folder = image.folder({
          ["inventory.lua"] = directory.read("scripts/services/inventory.lua"),
        })
        local path = "/scripts/services/inventory.lua"
        container = image.start(target.tag, { mounts = { [path] = folder .. "/inventory.lua" } })
        container.run:wait_log("^" .. path .. " is mounted as a single file")
      end)
    end)
  end
end)
