-- What was typed, key by key.

local M = {}

local SEQUENCES = { ["\27[A"] = "up", ["\27OA"] = "up", ["\27[B"] = "down", ["\27OB"] = "down" }

local CHARACTERS = { k = "up", j = "down", ["\3"] = "q", ["\4"] = "q", ["\13"] = "enter",
  ["\10"] = "enter" }

---Of a key that sends more than one byte nothing is taken for another key, whatever it is.
---@param bytes string
---@return string[] # names; a character is its own
function M.read(bytes)
  local keys, at = {}, 1
  while at <= #bytes do
    local sequence = bytes:match("^\27%[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]", at)
      or bytes:match("^\27O.", at) or bytes:match("^\27%[.*", at)
      or bytes:match("^\27?" .. utf8.charpattern, at) or bytes:sub(at, at)
    keys[#keys + 1] = SEQUENCES[sequence] or CHARACTERS[sequence]
      or (sequence:byte() == 27 and "escape" or sequence)
    at = at + #sequence
  end
  return keys
end

return M
