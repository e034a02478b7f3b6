-- What has to hold for tls and sasl before a broker is asked.

local files = require("lagoon.config.files")

local M = {}

M.MECHANISMS = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512" }

-- Names of librdkafka's properties that hold what nobody may read.
local SECRET_NAMES = { "password", "secret", "jaas", "^ssl%.key%.pem$", "oauthbearer%.config" }

-- The properties that say the same as a key of tls or sasl.
local SAME = {
  { "tls", "ca_file", { "ssl.ca.location", "ssl.ca.pem" } },
  { "tls", "cert_file", { "ssl.certificate.location", "ssl.certificate.pem",
    "ssl.keystore.location" } },
  { "tls", "key_file", { "ssl.key.location", "ssl.key.pem", "ssl.keystore.location" } },
  { "tls", "key_password", { "ssl.key.password" } },
  { "tls", "verify", { "enable.ssl.certificate.verification",
    "ssl.endpoint.identification.algorithm" } },
  { "sasl", "mechanism", { "sasl.mechanisms", "sasl.mechanism" } },
  { "sasl", "username", { "sasl.username" } },
  { "sasl", "password", { "sasl.password" } },
}

---@return table? # what `tls = true` is short for
function M.plain_tls(is_on)
  return is_on and {} or nil
end

---@return table? # only false may stand in place of the table
function M.no_sasl(is_on, place)
  if is_on then
    place:problem("needs a table such as {mechanism = \"SCRAM-SHA-512\", username = ..., " ..
      "password = ...}")
  end
end

-- ---- files ----

local function holds_pem(bytes, what)
  return bytes:find("%-%-%-%-%-BEGIN [%u%d ]-" .. what .. "%-%-%-%-%-") ~= nil
end

-- The file's bytes, when it holds a block of that name; else its problem is said.
local function check_pem(tls, key, what, place)
  if not tls[key] or place.report:holds_stand_in(tls[key]) then
    return nil
  end
  local child, path = place:child(key), tls[key]
  tls[key] = files.resolve(path, child.entry.file.directory)
  local bytes, problem = files.read(tls[key])
  if not bytes then
    child:problem(("%s: %s"):format(path, problem))
  elseif holds_pem(bytes, what) then
    return bytes
  else
    child:problem(("%s: holds no %s in PEM form, a block that starts with -----BEGIN %s-----")
      :format(path, what:lower(), what))
  end
end

local function is_encrypted(key)
  return holds_pem(key, "ENCRYPTED PRIVATE KEY") or key:find("Proc%-Type: 4,ENCRYPTED") ~= nil
end

local function check_pair(tls, given, key, other, place)
  if tls[key] ~= nil and given[other] == nil and not place.suspects[other] then
    place:child(key):problem(("needs %s beside it"):format(other))
  end
end

---@param tls table
---@param given table
---@param place lagoon.config.Place
function M.tls(tls, given, place)
  if place.options.is_dev then
    return
  end
  if tls.verify == false then
    local child = place:child("verify")
    place.report:notice(child.entry, child.path .. ": anybody may pose as the broker")
  end
  check_pem(tls, "ca_file", "CERTIFICATE", place)
  check_pem(tls, "cert_file", "CERTIFICATE", place)
  local key = check_pem(tls, "key_file", "PRIVATE KEY", place)
  check_pair(tls, given, "cert_file", "key_file", place)
  check_pair(tls, given, "key_file", "cert_file", place)
  check_pair(tls, given, "key_password", "key_file", place)
  if key and is_encrypted(key) and given.key_password == nil then
    place:child("key_file"):problem(given.key_file .. ": is encrypted and needs key_password")
  end
end

-- ---- the cluster ----

local function is_tls_off(cluster, given)
  return cluster.tls == nil and (given.tls == nil or given.tls == false)
end

local function check_plain(cluster, given, place)
  local sasl = cluster.sasl
  if sasl and sasl.mechanism == "PLAIN" and is_tls_off(cluster, given) then
    place:child("sasl"):child("mechanism"):problem(
      "PLAIN sends the password in the clear, set tls of the cluster too or take SCRAM-SHA-512")
  end
end

local function check_twice(given, place)
  local properties = type(given.properties) == "table" and given.properties or {}
  local inner = place:child("properties")
  for _, row in ipairs(SAME) do
    local key, field, names = table.unpack(row)
    local has_key = type(given[key]) == "table" and given[key][field] ~= nil
    for _, name in ipairs(has_key and names or {}) do
      if properties[name] ~= nil then
        inner:child(name):problem(("%s is set too, keep one of them")
          :format(place:child(key):child(field).path))
      end
    end
  end
  local key = given.tls and "tls" or given.sasl and "sasl"
  if key and properties["security.protocol"] ~= nil then
    inner:child("security.protocol"):problem(
      ("%s says it already, keep one of them"):format(place:child(key).path))
  end
end

---@param cluster table
---@param given table
---@param place lagoon.config.Place
function M.cluster(cluster, given, place)
  check_twice(given, place)
  if not place.options.is_dev then
    check_plain(cluster, given, place)
  end
end

---Passwords that stand in the source: an error of Lua may quote what it has not yet run, also where
---the = is what is missing.
---@param source string
---@param report lagoon.config.Report
function M.source(source, report)
  for _, name in ipairs({ "[Pp]assword", "token", "client%.secret", "%.pem" }) do
    for value in source:gmatch(name .. "[\"'%]%s]*=?%s*[\"']([^\"'\n]+)") do
      report:add_secret(value)
    end
  end
end

---Passwords among them are never printed.
---@param given table
---@param place lagoon.config.Place
function M.properties(_, given, place)
  for name, value in pairs(given) do
    for _, secret in ipairs(type(name) == "string" and SECRET_NAMES or {}) do
      if name:find(secret) and type(value) ~= "table" and value ~= "" then
        place.report:add_secret(tostring(value))
      end
    end
  end
end

return M
