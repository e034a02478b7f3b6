-- Which globals a compiled chunk reads and sets, exactly: from what string.dump gives, not from the
-- source. The format is that of Lua 5.4.

local M = {}

---@class lagoon.bytecode.Use
---@field name string
---@field line integer
---@field is_set boolean
---@field is_top boolean in the file's own body, in no function
---@field is_probe boolean only asked whether it is there

local GETUPVAL, LOADK, LOADKX, JMP = 9, 3, 4, 56
local GETTABUP, GETTABLE, SETTABUP, SETTABLE, SETFIELD = 11, 12, 15, 16, 18
local EQK, TEST, TESTSET = 60, 66, 67

local HEADER_BYTES = 32 -- with the number of upvalues behind it
local ABSOLUTE_LINE = -128

---@class lagoon.bytecode.Reader
---@field bytes string
---@field at integer
---@field uses lagoon.bytecode.Use[]
local Reader = {}
Reader.__index = Reader

function Reader:unpack(format)
  local value
  value, self.at = string.unpack(format, self.bytes, self.at)
  return value
end

function Reader:size()
  local size = 0
  local byte
  repeat
    byte = self:unpack("B")
    size = size << 7 | byte & 0x7f
  until byte & 0x80 ~= 0
  return size
end

function Reader:string()
  local size = self:size()
  return size > 0 and self:unpack("c" .. size - 1) or nil
end

function Reader:list(read)
  local list = {}
  for i = 0, self:size() - 1 do
    list[i] = read(self)
  end
  return list
end

local function read_instruction(reader)
  local word = reader:unpack("=I4")
  return { op = word & 0x7f, a = word >> 7 & 0xff, b = word >> 16 & 0xff, c = word >> 24,
    bx = word >> 15, ax = word >> 7 }
end

-- Only strings matter.
local function read_constant(reader)
  local kind = reader:unpack("B")
  if kind == 0x04 or kind == 0x14 then
    return reader:string()
  elseif kind == 0x03 or kind == 0x13 then
    reader:unpack("c8")
  end
  return false
end

local function read_upvalue(reader)
  return { in_stack = reader:unpack("B") == 1, index = reader:unpack("B"), reader:unpack("B") }
end

local function read_absolute(reader)
  return { pc = reader:size(), line = reader:size() }
end

local function skip_local(reader)
  reader:string()
  reader:size()
  reader:size()
  return true
end

-- The line of each instruction.
local function read_lines(reader, first)
  local deltas = reader:list(function() return reader:unpack("b") end)
  local absolutes = {}
  for _, absolute in pairs(reader:list(read_absolute)) do
    absolutes[absolute.pc] = absolute.line
  end
  local lines, line, pc = {}, first, 0
  while deltas[pc] do
    line = deltas[pc] == ABSOLUTE_LINE and absolutes[pc] or line + deltas[pc]
    lines[pc] = line
    pc = pc + 1
  end
  return lines
end

-- In a function of many constants a name does not fit into the instruction: the globals' table and
-- the name are put into registers first.
local function find_far(code, constants, pc)
  local key = code[pc + 1]
  local name = key and (key.op == LOADK and constants[key.bx]
    or key.op == LOADKX and constants[code[pc + 2].ax])
  local after = key and pc + (key.op == LOADKX and 3 or 2)
  local use = name and code[after]
  if use and use.op == GETTABLE and use.b == code[pc].a and use.c == key.a then
    return name, after, false
  end
  while name and use do
    if use.op == SETTABLE and use.a == code[pc].a and use.b == key.a then
      return name, after, true
    end
    after = after + 1
    use = code[after]
  end
end

local function is_probe(code, pc)
  local before, after = code[pc - 1], code[pc + 1]
  return before ~= nil and before.op == JMP
    or after ~= nil and (after.op == TEST or after.op == TESTSET or after.op == EQK)
end

-- What a function does with globals; `is_global` says which of its upvalues is their table.
local function find_uses(code, constants, is_global, add)
  local through -- the register that holds _G
  for pc = 0, #code do
    local one = code[pc]
    if one and one.op == GETTABUP and is_global[one.b] then
      add(constants[one.c], pc, false)
      through = constants[one.c] == "_G" and one.a or through
    elseif one and one.op == SETTABUP and is_global[one.a] then
      add(constants[one.b], pc, true)
    elseif one and one.op == SETFIELD and one.a == through then
      add(constants[one.b], pc, true, true)
    elseif one and one.op == GETUPVAL and is_global[one.b] then
      local name, at, is_set = find_far(code, constants, pc)
      if name then
        add(name, at, is_set)
      end
    end
  end
end

function Reader:proto(outer)
  self:string()
  local first = self:size()
  self:size()
  self:unpack("c3")
  local code, constants = self:list(read_instruction), self:list(read_constant)
  local is_global = {}
  for i, upvalue in pairs(self:list(read_upvalue)) do
    is_global[i] = not outer or not upvalue.in_stack and outer[upvalue.index] or false
  end
  self:list(function() return self:proto(is_global) or true end)
  local lines = read_lines(self, first)
  self:list(skip_local)
  self:list(function() return self:string() or true end)
  find_uses(code, constants, is_global, function(name, pc, is_set, is_explicit)
    table.insert(self.uses, { name = name, line = lines[pc], is_set = is_set,
      is_top = outer == nil or is_explicit == true, is_probe = is_probe(code, pc) })
  end)
end

---@param chunk function
---@return lagoon.bytecode.Use[]
function M.uses(chunk)
  local reader = setmetatable({ bytes = string.dump(chunk), at = HEADER_BYTES + 1, uses = {} },
    Reader)
  reader:proto(nil)
  return reader.uses
end

return M
