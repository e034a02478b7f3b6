-- include: a part of the config that stands in a file of its own. It runs as the config does, and
-- within the same limits.

local files = require("lagoon.config.files")
local lines = require("lagoon.config.lines")
local security = require("lagoon.config.security")

local M = {}

local MAX_DEPTH, MAX_FILES = 20, 200

-- Where it stands that a table of an included file came from there, however it is used.
local function remember(report, value, entry)
  if type(value) ~= "table" or report.origins[value] then
    return
  end
  report.origins[value] = entry
  for key, inner in pairs(entry.body and entry.body.entries or {}) do
    remember(report, value[key], inner)
  end
end

-- What goes on in place of a file that cannot be used, so that one run names all problems.
local function failed(report, at, what, problem)
  local stand_in = {}
  report:problem(at, what, problem)
  report:add_stand_in(stand_in)
  return stand_in
end

-- Why it may not run, when the file has no link, "." or ".." left in its path.
local function refusal(chunks, real)
  local names = {}
  for _, file in ipairs(chunks.running) do
    if real and file.real == real or #names > 0 then
      table.insert(names, file.path)
    end
  end
  if #names > 0 then
    return ("includes itself: %s -> %s"):format(table.concat(names, " -> "), names[1])
  elseif #chunks.running > MAX_DEPTH then
    return ("stands more than %d includes deep"):format(MAX_DEPTH)
  elseif #chunks.list > MAX_FILES then
    return ("is more than the %d files that a config may have"):format(MAX_FILES)
  end
end

-- Also when the file raises, and the one that includes it goes on.
local function when_left(chunks)
  return setmetatable({}, {
    __close = function()
      chunks:leave()
    end,
  })
end

local function run_chunk(chunks, file, chunk)
  chunks:enter(file)
  local _ <close> = when_left(chunks)
  local value = chunk()
  return value
end

local function run(report, environment, source, file)
  local chunk, message = load(source, "=" .. file.chunk, "t", environment)
  if not chunk then
    local text, at = report.chunks:split(message)
    return failed(report, at, nil, text)
  end
  local value = run_chunk(report.chunks, file, chunk)
  local entry = lines.read(source, file)
  if type(value) ~= "table" then
    return failed(report, entry, nil, "must return a table, got " .. report:show(value))
  end
  remember(report, value, entry)
  return value
end

---A byte order mark and a first line for the shell are left to other programs; lines keep their
---numbers.
---@param source string
---@return string
function M.strip(source)
  return (source:gsub("^\xef\xbb\xbf", ""):gsub("^#", "--#"))
end

---@param report lagoon.config.Report
---@param environment table that the files run in
---@param natives lagoon.config.Natives
---@return function
function M.new(report, environment, natives)
  local chunks = report.chunks
  chunks.list[1].real = natives.real_path(chunks.list[1].path)
  return function(path)
    local here = chunks:here()
    local what = ("include(%s)"):format(report:show(path))
    if type(path) ~= "string" then
      return failed(report, here, what, "needs the path of a file")
    end
    local resolved = files.resolve(path, here.file.directory)
    local real = natives.real_path(resolved)
    local problem = refusal(chunks, real)
    local source
    if not problem then
      source, problem = report:read_file(resolved)
    end
    if not source then
      return failed(report, here, what, problem)
    end
    source = M.strip(source)
    security.source(source, report)
    local file = chunks:add(resolved)
    file.real = real
    file.source = source
    return (run(report, environment, source, file))
  end
end

return M
