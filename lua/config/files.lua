-- The files that a config names.

local M = {}

local MAX_BYTES = 1024 * 1024

---@param path string
---@param directory string what a relative path is relative to
---@return string
function M.resolve(path, directory)
  path = path:gsub("^%./+", "")
  local is_plain = path:sub(1, 1) == "/" or directory == "."
  return is_plain and path or directory .. "/" .. path
end

---@param path string
---@return string? bytes
---@return string? problem why there are none
function M.read(path)
  local handle, message = io.open(path, "rb")
  local bytes
  if handle then
    bytes, message = handle:read(MAX_BYTES + 1)
    bytes = bytes or not message and "" or nil
    handle:close()
  end
  if not bytes then
    return nil, (message:gsub("^.*: ", ""))
  elseif #bytes > MAX_BYTES then
    return nil, "is larger than 1 MiB"
  end
  return bytes
end

---Text without one newline at its end.
---@param path string
---@return string? text
---@return string? problem why there is none
function M.read_text(path)
  local bytes, problem = M.read(path)
  if bytes and bytes:find("\0", 1, true) then
    return nil, "is no text, it holds a NUL byte"
  end
  return bytes and (bytes:gsub("\r?\n$", "")), problem
end

return M
