-- What a broker has stored, as its files say.

local M = {}

local CODECS = { [0] = "none", "gzip", "snappy", "lz4", "zstd" }
-- Of a batch: its first offset, then the length of what follows the length.
local LENGTH_AT, BEFORE_LENGTH = 9, 12
local ATTRIBUTES_AT = 22
local CODEC_MASK = 7

---How the batches of a segment are compressed: the codecs in the order they first come.
---@param path string of a .log file
---@return string[]
function M.codecs(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  local codecs, seen = {}, {}
  local batch = 0
  while batch + ATTRIBUTES_AT + 1 <= #text do
    local length = (">I4"):unpack(text, batch + LENGTH_AT)
    local codec = CODECS[(">I2"):unpack(text, batch + ATTRIBUTES_AT) & CODEC_MASK]
    if not seen[codec] then
      seen[codec] = true
      table.insert(codecs, codec)
    end
    batch = batch + BEFORE_LENGTH + length
  end
  return codecs
end

return M
