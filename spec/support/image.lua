-- The images of docker/Dockerfile and containers of them, by buildah and podman, without a daemon.

local json = require("cjson")
local uv = require("luv")

local directory = require("spec.support.directory")
local process = require("spec.support.process")
local run = require("spec.support.run")
local scope = require("spec.support.scope")
local wait = require("spec.support.wait")

local M = {}

local BASE = "localhost/lagoon-spec-base:13"
local BUILD_MS = 280000

-- An engine wants more than these, which root itself may not have.
local LIMITS = { "--ulimit", "nofile=512:512", "--ulimit", "nproc=512:512" }
local PODMAN = { "podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs" }

local function join(...)
  local all = {}
  for _, list in ipairs({ ... }) do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

local function succeed(command, deadline_ms)
  local tool = process.run(command, nil, deadline_ms)
  assert(tool.code == 0, ("%s: %s\n%s"):format(tool.name, tool:how_it_ended(), tool:tail(40)))
  return tool:stdout()
end

---Why images cannot be built and run here; nil when they can.
---@return string?
function M.obstacle()
  for _, tool in ipairs({ "podman", "buildah", "runc", "debootstrap" }) do
    if process.run({ "sh", "-c", "command -v " .. tool }).code ~= 0 then
      return tool .. " is not there"
    end
  end
  if uv.getuid() ~= 0 then
    return "debootstrap has to be root"
  end
end

---Builds a target of docker/Dockerfile, or of another file.
---@param options {target: string?, tag: string, file: string?, context: string?}
function M.build(options)
  succeed({ "spec/support/image/base.sh", BASE }, BUILD_MS)
  succeed(join({ "buildah", "bud", "--isolation", "chroot", "--network", "host", "--layers",
    "--format", "docker", "--build-arg", "BASE=" .. BASE, "--tag", options.tag,
    "--file", options.file or "docker/Dockerfile" }, LIMITS,
    options.target and { "--target", options.target } or {}, { options.context or "." }), BUILD_MS)
end

---@param tag string
---@return table # what `podman image inspect` says
function M.inspect(tag)
  return json.decode(succeed({ "podman", "image", "inspect", tag }))[1]
end

---A folder that a container's user can read too.
---@param files table<string, string>
---@return string path
function M.folder(files)
  local folder = directory.with(files)
  assert(uv.fs_chmod(folder, tonumber("755", 8)))
  return folder
end

---The example application, to be mounted: its folders etc and scripts.
---@return string path
function M.example()
  local files = {
    ["etc/config.lua"] = directory.read("config.lua"),
    ["etc/docker/orders.lua"] = directory.read("docker/orders.lua"),
  }
  for _, name in ipairs({ "handlers/order_created", "handlers/order_paid", "handlers/order_shipped",
    "services/inventory", "services/notification", "services/remote", "services/shipping" }) do
    files["scripts/" .. name .. ".lua"] = directory.read("scripts/" .. name .. ".lua")
  end
  return M.folder(files)
end

---@class spec.Container
---@field name string
---@field process spec.Process the engine's, whose output is the container's
---@field run spec.Run the same for its log
---@field pid integer of the container's first process
local Container = {}
Container.__index = Container

local count = 0

---Starts a container as it is meant to be run: nothing to write to, no capability.
---@param tag string
---@param options? {arguments: string[]?, env: table<string, string>?, input: string?,
--- mounts: table<string, string>?, data: string?} mounts: the host's folders by the container's;
--- data: the host's folder that is mounted to be written to, as /data
---@return spec.Container
function M.start(tag, options)
  options = options or {}
  count = count + 1
  local name = ("lagoon-spec-%d-%d"):format(uv.os_getpid(), count)
  local flags = {}
  for variable, value in pairs(options.env or {}) do
    table.move({ "--env", variable .. "=" .. value }, 1, 2, #flags + 1, flags)
  end
  for target, source in pairs(options.mounts or {}) do
    table.move({ "--volume", source .. ":" .. target .. ":ro" }, 1, 2, #flags + 1, flags)
  end
  if options.data then
    table.move({ "--volume", options.data .. ":/data" }, 1, 2, #flags + 1, flags)
  end
  local started = process.start(join(PODMAN, { "run", "--rm", "--name", name, "--network", "host",
    "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--no-healthcheck",
    "--security-opt", "no-new-privileges" }, options.input and { "--interactive" } or {}, LIMITS,
    flags, { tag }, options.arguments or {}), { input = options.input })
  scope.defer(function()
    process.run(join(PODMAN, { "rm", "--force", "--ignore", "--time", "0", name }))
  end)
  local self = setmetatable({ name = name, process = started, run = run.new(started) }, Container)
  wait.till("container " .. name, 20000, function()
    local tool = process.run(join(PODMAN, { "inspect", "--format", "{{.State.Pid}}", name }))
    self.pid = tonumber(tool:stdout())
    return self.pid and self.pid > 0 or not started:is_running()
  end)
  return self
end

---Runs a command in it.
---@param command string[]
---@param input? string
---@return spec.Process
function Container:execute(command, input)
  return process.run(join(PODMAN, { "exec", input and "--interactive" or nil },
    { self.name }, command), { input = input }, 20000)
end

return M
