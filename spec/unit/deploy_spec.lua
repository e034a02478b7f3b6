-- The files of docker/ for Compose and Kubernetes, against what lagoon does by default.

local lyaml = require("lyaml")

local directory = require("spec.support.directory")
local unit = require("unit")

local DOCKERFILE = directory.read("docker/Dockerfile")
-- Of the config, in seconds.
local STOP_TIMEOUT = tonumber(directory.read("docs/configuration.md"):match(
  '| `stop_timeout` | `"(%d+)s"` |'))

local function has(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

describe("docker/Dockerfile", function()
  it("says of both images the same", function()
    local endings = {}
    for name, stage in (DOCKERFILE .. "\nFROM "):gmatch("AS (%l+)\n(.-)\n%f[F]FROM ") do
      endings[name] = stage:match("WORKDIR .*"):match("^(.-)%s*$")
    end
    assert.is_string(endings.minimal)
    assert.equal(endings.minimal, endings.lagoon)
  end)
end)

describe("docker/compose.yaml", function()
  local compose = lyaml.load(directory.read("docker/compose.yaml"))

  it("runs an API side of producers only and two workers of the built image", function()
    local api, worker = compose.services.api, compose.services.worker
    assert.same({ "run", "--only", "producers", "--watch" }, api.command)
    assert.same({ "run", "--only", "consumers", "--watch" }, worker.command)
    assert.equal(2, worker.deploy.replicas)
    for _, service in ipairs({ api, worker }) do
      assert.equal("docker/Dockerfile", service.build.dockerfile)
      assert.equal("kafka:9092", service.environment.KAFKA_BROKERS)
      assert.equal(":9464", service.environment.LAGOON_LISTEN)
    end
    assert.same({ "127.0.0.1:9464:9464" }, api.ports)
    assert.matches("kafka:9092", compose.services.kafka.environment.KAFKA_ADVERTISED_LISTENERS)
  end)

  it("mounts folders where the image looks, and lets it write nowhere", function()
    for _, name in ipairs({ "api", "worker" }) do
      local service = compose.services[name]
      assert.same({ "..:/etc/lagoon:ro", "../scripts:/scripts:ro" }, service.volumes)
      assert.equal("/etc/lagoon/docker/orders.lua", service.environment.LAGOON_CONFIG)
      assert.matches("LAGOON_SCRIPTS=/scripts", DOCKERFILE, 1, true)
      assert.is_true(service.read_only)
      assert.same({ "ALL" }, service.cap_drop)
      assert.matches("\nUSER " .. service.user .. "\n", DOCKERFILE)
    end
  end)

  it("has a config that is the example's, with a token", function()
    unit.config.setenv("LAGOON_TOKEN", "local")
    assert(unit.bindings.check("docker/orders.lua", "scripts"))
  end)

  it("gives a stop more time than lagoon takes", function()
    for _, name in ipairs({ "api", "worker" }) do
      assert(tonumber(compose.services[name].stop_grace_period:match("^(%d+)s$")) > STOP_TIMEOUT)
    end
  end)
end)

describe("docker/kubernetes.yaml", function()
  local objects = {}
  for _, object in ipairs(lyaml.load(directory.read("docker/kubernetes.yaml"), { all = true })) do
    objects[object.kind .. " " .. object.metadata.name] = object
  end
  local deployment = objects["Deployment payments-worker"]
  local pod = deployment.spec.template.spec
  local container = pod.containers[1]

  it("keeps to the restricted standard, as the user of the image", function()
    assert.equal("restricted", objects["Namespace payments"].metadata.labels[
      "pod-security.kubernetes.io/enforce"])
    assert.is_true(pod.securityContext.runAsNonRoot)
    assert.matches(("\nUSER %d:%d\n"):format(pod.securityContext.runAsUser,
      pod.securityContext.runAsGroup), DOCKERFILE)
    assert.equal("RuntimeDefault", pod.securityContext.seccompProfile.type)
    assert.is_false(container.securityContext.allowPrivilegeEscalation)
    assert.is_true(container.securityContext.readOnlyRootFilesystem)
    assert.same({ "ALL" }, container.securityContext.capabilities.drop)
  end)

  it("asks where the admin server listens for what that answers", function()
    local variables = {}
    for _, variable in ipairs(container.env) do
      variables[variable.name] = variable.value
    end
    local port = container.ports[1]
    assert.equal(":" .. port.containerPort, variables.LAGOON_LISTEN)
    local manual = directory.read("docs/operating.md")
    for _, probe in ipairs({ container.livenessProbe, container.readinessProbe }) do
      assert.equal(port.name, probe.httpGet.port)
      assert.matches("| `GET " .. probe.httpGet.path .. "` |", manual, 1, true)
    end
    assert.equal("/live", container.livenessProbe.httpGet.path)
    assert.equal("/ready", container.readinessProbe.httpGet.path)
  end)

  it("gives a stop more time than lagoon takes", function()
    assert(pod.terminationGracePeriodSeconds > STOP_TIMEOUT)
  end)

  -- As a kubelet lays them out: each file by its key, or where items say.
  local function mounted()
    local files, places = {}, {}
    for _, mount in ipairs(container.volumeMounts) do
      assert.is_nil(mount.subPath)
      places[mount.name] = mount.mountPath
    end
    for _, volume in ipairs(pod.volumes) do
      local map = objects["ConfigMap " .. volume.configMap.name]
      local paths = {}
      for _, item in ipairs(volume.configMap.items or {}) do
        paths[item.key] = item.path
      end
      for key, text in pairs(map.data) do
        files[places[volume.name] .. "/" .. (paths[key] or key)] = text
      end
    end
    return files
  end

  it("mounts a config and scripts that pass the check", function()
    unit.config.setenv("KAFKA_BROKERS", "kafka:9092")
    local folder = directory.with(mounted())
    assert(unit.bindings.check(folder .. "/etc/lagoon/config.lua", folder .. "/scripts"))
  end)

  it("adds pods when the workers of a pod are all at work, at most one a partition", function()
    local scaled = objects["ScaledObject payments-worker"].spec
    assert.equal(deployment.metadata.name, scaled.scaleTargetRef.name)
    local trigger = scaled.triggers[1].metadata
    local config = mounted()["/etc/lagoon/config.lua"]
    assert.equal(trigger.topic, config:match('topic = "(%w+)"'))
    assert.equal(trigger.consumerGroup, config:match('group = "(%w+)"'))
    local max, threshold = config:match("max = (%d+), lag_threshold = (%d+)")
    assert.equal(max * threshold, tonumber(trigger.lagThreshold))
    assert(scaled.maxReplicaCount <= tonumber(config:match("partitions = (%d+)")))
  end)

  it("names in each object the namespace that it makes", function()
    for name, object in pairs(objects) do
      assert.equal(name ~= "Namespace payments" and "payments" or nil, object.metadata.namespace)
    end
    assert(has(container.args, "--watch"))
  end)
end)
