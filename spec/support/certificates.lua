-- A certificate authority of one spec, made with openssl.

local directory = require("spec.support.directory")
local process = require("spec.support.process")

local M = {}

-- openssl's own default needs files of the system; this one needs its folder only.
local SETTINGS = [[
[ ca ]
default_ca = authority
[ authority ]
dir = @FOLDER@
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca-key.pem
default_md = sha256
default_days = 30
policy = anything
copy_extensions = copy
unique_subject = no
[ anything ]
commonName = supplied
[ req ]
distinguished_name = names
[ names ]
[ issuer ]
basicConstraints = critical, CA:true
]]

local CURVE = { "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1" }

local function openssl(...)
  local tool = process.run({ "openssl", ... })
  assert(tool.code == 0, tool:tail())
end

---@class spec.Authority
---@field folder string
---@field ca string path of its own certificate
local Authority = {}
Authority.__index = Authority

---@param name string
---@return spec.Authority
function M.new(name)
  local folder = directory.new()
  local self = setmetatable({ folder = folder, ca = folder .. "/ca.pem" }, Authority)
  self.settings = directory.write(folder .. "/settings", (SETTINGS:gsub("@FOLDER@", folder)))
  directory.write(folder .. "/index.txt", "")
  directory.write(folder .. "/serial", "01\n")
  openssl("req", "-x509", "-nodes", "-config", self.settings, "-extensions", "issuer", "-subj",
    "/CN=" .. name, "-days", "30", "-keyout", folder .. "/ca-key.pem", "-out", self.ca,
    table.unpack(CURVE))
  return self
end

---@class spec.Certificate
---@field key string path of the private key
---@field certificate string path
---@field both string path of key and certificate in one file, as Kafka reads them

---Signs a certificate.
---@param name string
---@param options? {names: string?, from: string?, to: string?, password: string?} names: whom it is
--- for, "IP:127.0.0.1,DNS:localhost"; from, to: 20200101000000Z; password: of its private key
---@return spec.Certificate
function Authority:sign(name, options)
  options = options or {}
  local base = self.folder .. "/" .. name
  local one = { key = base .. "-key.pem", certificate = base .. ".pem", both = base .. "-both.pem" }
  local request = { "req", "-new", "-config", self.settings, "-subj", "/CN=" .. name, "-keyout",
    one.key, "-out", base .. ".request", table.unpack(CURVE) }
  local function add(...)
    table.move({ ... }, 1, select("#", ...), #request + 1, request)
  end
  if options.names then
    add("-addext", "subjectAltName=" .. options.names)
  end
  if options.password then
    add("-passout", "pass:" .. options.password)
  else
    add("-nodes")
  end
  openssl(table.unpack(request))

  local signing = { "ca", "-batch", "-notext", "-config", self.settings, "-in", base .. ".request",
    "-out", one.certificate }
  if options.to then
    table.move({ "-startdate", options.from, "-enddate", options.to }, 1, 4, #signing + 1, signing)
  end
  openssl(table.unpack(signing))
  directory.write(one.both, directory.read(one.key) .. directory.read(one.certificate))
  return one
end

return M
