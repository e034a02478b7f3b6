-- What the documents say, in a form that can be compared with the program.

local lfs = require("lfs")

local directory = require("spec.support.directory")

local M = {}

---All documents for users, by path.
---@return table<string, string>
function M.all()
  local documents = { ["README.md"] = directory.read("README.md") }
  for name in lfs.dir("docs") do
    if name:find("%.md$") then
      documents["docs/" .. name] = directory.read("docs/" .. name)
    end
  end
  return documents
end

---The anchors of its headings, as GitHub makes them.
---@param text string
---@return table<string, boolean>
function M.anchors(text)
  local anchors = {}
  for heading in text:gmatch("%f[^\n\0]#+ ([^\n]+)") do
    anchors[heading:lower():gsub("[^%w_ -]", ""):gsub(" ", "-")] = true
  end
  return anchors
end

---@class spec.Link
---@field path string as it is written; "" is the document itself
---@field anchor string? without #

---@param text string
---@return spec.Link[]
function M.links(text)
  local links = {}
  for path, anchor in text:gmatch("%]%(([^)#]*)#?([^)]*)%)") do
    table.insert(links, { path = path, anchor = anchor ~= "" and anchor or nil })
  end
  return links
end

---The text of a section, without its heading, up to the next heading of the same or a higher level.
---@param text string
---@param heading string such as "### consumers.NAME"
---@return string
function M.section(text, heading)
  local _, first = text:find("\n" .. heading .. "\n", 1, true)
  assert(first, "there is no heading " .. heading)
  local level = #heading:match("^#+")
  local last = #text
  for position, marks in text:sub(first):gmatch("\n()(#+) ") do
    if #marks <= level then
      last = first + position - 2
      break
    end
  end
  return text:sub(first, last)
end

---The rows of all tables, without their heads.
---@param text string
---@return string[][] # the cells of each row
function M.rows(text)
  local rows = {}
  local is_body = false
  for line in text:gmatch("[^\n]*") do
    if line:find("^|[-|]+$") then
      is_body = true
    elseif not line:find("^|") then
      is_body = false
    elseif is_body then
      local row = {}
      for cell in line:gsub("\\|", "\0"):gmatch("|%s*([^|]-)%s*%f[|]") do
        table.insert(row, (cell:gsub("%z", "|")))
      end
      table.insert(rows, row)
    end
  end
  return rows
end

---@param text string
---@return string[] # what stands between backquotes
function M.code_spans(text)
  local spans = {}
  for span in text:gmatch("`([^`]+)`") do
    table.insert(spans, span)
  end
  return spans
end

---@class spec.Block
---@field language string
---@field text string
---@field line integer

---@param text string
---@return spec.Block[] # the fenced ones
function M.blocks(text)
  local blocks, block, number = {}, nil, 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local language = line:match("^```(%a*)$")
    if language and not block then
      block = { language = language, line = number, lines = {} }
    elseif language then
      block.text = table.concat(block.lines, "\n") .. "\n"
      table.insert(blocks, block)
      block = nil
    elseif block then
      table.insert(block.lines, line)
    end
  end
  assert(not block, "a block is not closed")
  return blocks
end

---The files of each example: one begins with a block whose first line is `-- config.lua`, and the
---blocks that follow it and name their file belong to it.
---@param blocks spec.Block[]
---@return table<string, string>[]
function M.examples(blocks)
  local examples = {}
  for _, block in ipairs(blocks) do
    local path = block.text:match("^%-%- (%S+%.lua)\n")
    if path == "config.lua" then
      table.insert(examples, {})
    end
    if path then
      assert(examples[1], path .. " stands before any config.lua")
      examples[#examples][path] = block.text
    end
  end
  return examples
end

---@class spec.Field
---@field name string
---@field is_optional boolean
---@field type string what follows the name

---The classes of a file of LuaCATS annotations, by name, and its functions.
---@param text string
---@return table<string, spec.Field[]>
---@return string[] # such as Context:header
function M.annotations(text)
  local classes, functions, class = {}, {}, nil
  for line in text:gmatch("[^\n]+") do
    local name = line:match("^%-%-%-@class (%S+)")
    local field, mark, rest = line:match("^%-%-%-@field ([%w_]+)(%??) (.*)$")
    if name then
      class = {}
      classes[name] = class
    elseif field then
      table.insert(class, { name = field, is_optional = mark == "?", type = rest })
    elseif line:find("^function ") then
      table.insert(functions, line:match("^function ([%w_.:]+)"))
    end
  end
  return classes, functions
end

return M
