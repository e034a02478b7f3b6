-- Crowds that ask an admin server for what it should bear; spec/support/abuse is the program.

local json = require("cjson")

local admin = require("spec.support.admin_client")
local process = require("spec.support.process")

local M = {}

local PROGRAM = (os.getenv("LAGOON_BUILD") or "build") .. "/abuse"

---@class spec.AbuseResult
---@field asked integer requests
---@field answered integer of tokens, sites and publish
---@field silent integer connections on which no answer came in time
---@field connections integer
---@field seconds number
---@field p50_ms number? of answers, and p99_ms, worst_ms
---@field live {asked: integer, failed: integer, again: integer, worst_ms: number} of /live, which
--- was asked for meanwhile, ten times a second, each time by a new connection; again: those of them
--- that were closed without a word
---@field statuses table<string, integer> answers

---Begins one.
---@param kind "fuzz"|"slow"|"tokens"|"sites"|"publish"
---@param url string
---@param options {seed: integer, count: integer, token: string, rate: number?} count: requests; of
--- slow the seconds
---@return spec.Process
function M.start(kind, url, options)
  local command = { PROGRAM, kind, url:match(":(%d+)$"), tostring(options.seed),
    tostring(options.count), options.token }
  table.insert(command, options.rate and tostring(options.rate))
  return process.start(command)
end

---What came of it, once it has ended.
---@param started spec.Process
---@return spec.AbuseResult
function M.result(started)
  assert(started.code == 0, started:tail())
  return json.decode(started:stdout())
end

---Plays one to its end.
---@return spec.AbuseResult
function M.play(kind, url, options, deadline_ms)
  local started = M.start(kind, url, options)
  started:wait_exit(deadline_ms or 60000)
  return M.result(started)
end

-- What stays as it is unless somebody asks for something else; of a consumer, and of its workers.
local SETTINGS = { "state", "generation", "hash", "refusal", "is_reloading" }
local OF_CONSUMER = { "name", "group", "state", "is_paused" }
local OF_WORKERS = { "min", "max" }

local function choose(from, names)
  local chosen = {}
  for _, name in ipairs(names) do
    chosen[name] = from[name]
  end
  return chosen
end

---What the process is set to do: the generation, who is paused, how many workers are asked for, ...
---@param url string
---@param token string
---@return table
function M.settings(url, token)
  local status = admin.json(url, "GET", "/v1/status",
    { headers = { Authorization = "Bearer " .. token } })
  local settings = choose(status, SETTINGS)
  for i, consumer in ipairs(status.consumers) do
    settings[i] = choose(consumer, OF_CONSUMER)
    settings[i].workers = choose(consumer.workers, OF_WORKERS)
    settings[i].workers.is_overridden = consumer.workers.overridden_for_ms ~= nil
    for n, partition in ipairs(consumer.partitions) do
      settings[i][n] = choose(partition, { "topic", "partition", "is_stopped" })
    end
  end
  return settings
end

return M
