-- What was measured, as a table and as a drawing.

local M = {}

local function median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  return #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2,
    sorted[1], sorted[#sorted]
end

local function collect(results, field)
  local list = {}
  for _, result in ipairs(results) do
    table.insert(list, result[field])
  end
  return list
end

-- What a case costs more than the baseline in the same round.
local function differences(results, baseline)
  local list = {}
  for round, result in ipairs(results) do
    if baseline and baseline[round] then
      table.insert(list, result.cpu - baseline[round].cpu)
    end
  end
  return list
end

local function thousands(number)
  local text = ("%d"):format(math.floor(number + 0.5))
  return (text:reverse():gsub("(%d%d%d)", "%1 "):reverse():gsub("^ ", ""))
end

local function spread(format, list)
  local middle, least, most = median(list)
  return (format .. " (" .. format .. ".." .. format .. ")"):format(middle, least, most)
end

-- The case that the others are held against, with a header or without.
local function baseline_of(case, results)
  return results["two bare Lua loops" .. (case.topic == "headers" and ", with a header" or "")]
end

---@param cases bench.Case[]
---@param results table<string, bench.Result[]> by the case's name, a result a round
---@return string Markdown
function M.table(cases, results)
  local lines = {
    "| | records/s | CPU, us a record | more than two bare loops | switches a record | peak RSS |",
    "|---|---|---|---|---|---|",
  }
  for _, case in ipairs(cases) do
    local own = results[case.name]
    local rate, slowest, fastest = median(collect(own, "rate"))
    local more = differences(own, baseline_of(case, results))
    table.insert(lines, ("| %s | %s (%s..%s) | %s | %s | %.4f | %.0f MiB |"):format(case.name,
      thousands(rate), thousands(slowest), thousands(fastest), spread("%.2f", collect(own, "cpu")),
      #more > 0 and case.kind == "lagoon" and spread("%+.2f", more) or "",
      (median(collect(own, "switches"))), median(collect(own, "rss")) / 1048576))
  end
  return table.concat(lines, "\n")
end

local WIDTH, ROW, LEFT, BARS = 900, 22, 270, 480

local function text(x, y, words, anchor)
  return ('<text x="%d" y="%d" text-anchor="%s">%s</text>'):format(x, y, anchor or "start", words)
end

---@param cases bench.Case[]
---@param results table<string, bench.Result[]>
---@return string SVG: CPU a record, a bar a case, with a line from the least to the most
function M.drawing(cases, results)
  local most = 0
  for _, case in ipairs(cases) do
    local _, _, highest = median(collect(results[case.name], "cpu"))
    most = math.max(most, highest)
  end
  local height = (#cases + 2) * ROW
  local lines = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
      .. 'font-size="13">'):format(WIDTH, height),
    ('<rect width="%d" height="%d" fill="white"/>'):format(WIDTH, height),
    text(LEFT, ROW - 6, "CPU of the process, microseconds a record (median, least to most)"),
  }
  for i, case in ipairs(cases) do
    local middle, least, highest = median(collect(results[case.name], "cpu"))
    local y, scale = i * ROW + 4, BARS / most
    table.insert(lines, text(LEFT - 8, y + 14, case.name, "end"))
    table.insert(lines, ('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'):format(LEFT, y,
      middle * scale, ROW - 6, case.kind == "lagoon" and "#3b6ea5" or "#b8b8b8"))
    table.insert(lines, ('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="black"/>'):format(
      LEFT + least * scale, LEFT + highest * scale, y + ROW // 2 - 3, y + ROW // 2 - 3))
    table.insert(lines, text(LEFT + math.floor(highest * scale) + 8, y + 14,
      ("%.2f us, %s records/s"):format(middle,
        thousands((median(collect(results[case.name], "rate")))))))
  end
  table.insert(lines, "</svg>\n")
  return table.concat(lines, "\n")
end

return M
