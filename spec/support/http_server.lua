-- An HTTP server of one spec, a process of its own: what it answers says the path, see
-- http_server_main.lua.

local json = require("cjson")

local process = require("spec.support.process")

local M = {}

---@class spec.HttpServer
---@field process spec.Process
---@field url string http://127.0.0.1:PORT
local Server = {}
Server.__index = Server

---@return spec.HttpServer
function M.start()
  local started = process.start({ "lua5.4", "spec/support/http_server_main.lua" }, { input = true })
  return setmetatable({ process = started, url = started:wait_for("^listening on (%S+)$") }, Server)
end

---@class spec.HttpCounts
---@field connections integer ever made
---@field open integer connections now
---@field running integer requests that are being answered
---@field most integer the most of those at once

---@return spec.HttpCounts
function Server:counts()
  self.process:mark()
  self.process:write("counts\n")
  return json.decode(self.process:wait_for("^counts (.*)$"))
end

return M
