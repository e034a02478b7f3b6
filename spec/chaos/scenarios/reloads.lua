-- Config and scripts change all the time, and some of what is written there is broken.

local lfs = require("lfs")

local reloads = require("spec.chaos.reloads")
local threads = require("spec.support.threads")
local undisturbed = require("spec.chaos.undisturbed")

local EVERY_MS = 500
local BROKEN_EVERY = 10
local STRETCH_S = 20
-- Reloads until the allocator has what they need.
local WARM_UP = 20
local MAX_GROWTH = 5 * 1024 * 1024

local function event(_, dice)
  local luck = dice(1, 1000)
  return luck == 1 and { sleep_ms = 900 } or luck <= 10 and { sleep_ms = dice(1, 100) } or {}
end

-- [key]: the generation that its last record began in
local generations = {}
local went_back = {}

-- How long records took from publisher to handler, into the list. Every tenth, for there are many.
local function watch(rig, times)
  local count = 0
  rig.judge.verdicts.on_begin = function(entry)
    local last = generations[entry.key]
    if last and entry.generation < last then
      table.insert(went_back, ("%s: %d after %d"):format(entry.key, entry.generation, last))
    end
    generations[entry.key] = entry.generation
    count = count + 1
    if count % 10 == 0 then
      table.insert(times, entry.at - entry.sent_at)
    end
  end
end

local function count_files(folder)
  local count = 0
  for _ in lfs.dir(folder) do
    count = count + 1
  end
  return count
end

-- Old states are closed by helpers: it may take a moment.
local function holds(rig)
  local pid = rig.members.list[1].pid
  return { bytes = threads.resident_bytes(pid), files = count_files(("/proc/%d/fd"):format(pid)),
    threads = count_files(("/proc/%d/task"):format(pid)) }
end

local function least(rig, seconds)
  local held = holds(rig)
  for _ = 1, seconds * 5 do
    rig:pass(200)
    for name, value in pairs(holds(rig)) do
      held[name] = math.min(held[name], value)
    end
  end
  return held
end

local function judge_latency(rig)
  local is_good, beside, without, limit = undisturbed.latency(rig)
  return is_good, ("p99 from publisher to handler %d ms beside reloads, %d ms without; "
    .. "below %d ms"):format(beside, without, limit)
end

local function judge_generations(rig)
  local last = 0
  for _, generation in pairs(generations) do
    last = math.max(last, generation)
  end
  return #went_back == 0 and last > rig.reloads.done // 2,
    ("no key went back, up to generation %d%s"):format(last,
      #went_back > 0 and "; but " .. went_back[1] or "")
end

local function judge_holds(rig)
  local before, after = rig.before, rig.after
  local growth = after.bytes - before.bytes
  return growth < MAX_GROWTH and after.files <= before.files and after.threads <= before.threads,
    ("%.1f MiB more resident than %.1f after the first %d reloads; %d files, %d then; %d threads, "
      .. "%d then"):format(growth / 1024 / 1024, before.bytes / 1024 / 1024, WARM_UP, after.files,
      before.files, after.threads, before.threads)
end

return {
  says = "500 reloads, two a second, one in ten of something broken, at 20,000 records a second",
  records = 1000000,
  count = 500,
  rate = 20000,
  keys = 2000,
  members = 1,
  may_repeat = false,
  consumer = { workers = 8, buffer_size = 50, window = { records = 20000 } },
  event = event,
  faults = function(rig)
    rig.without, rig.beside = {}, {}
    rig.reloads = reloads.new(rig)
    watch(rig, {})
    rig:pass(5000)
    for _ = 1, WARM_UP do
      rig.reloads:reload()
    end
    rig.before = least(rig, 5)
    watch(rig, rig.without)
    rig:pass(STRETCH_S * 1000)
    watch(rig, rig.beside)
    rig:fault("from here on a reload each %d ms, one in %d of something broken", EVERY_MS,
      BROKEN_EVERY)
    for i = 1, rig.count do
      local began = rig:seconds()
      if i % BROKEN_EVERY == 0 then
        rig.reloads:refuse(i // BROKEN_EVERY)
      else
        rig.reloads:reload()
      end
      rig:pass(math.max(0, EVERY_MS - math.floor((rig:seconds() - began) * 1000)))
      if i % 50 == 0 then
        rig:fault("%d reloads", i)
      end
    end
    rig.reloads:reload()
    watch(rig, rig.without)
    rig:pass(STRETCH_S * 1000)
    rig.after = least(rig, 5)
  end,
  checks = {
    { letter = "U", judge = reloads.judge },
    { letter = "N", judge = judge_generations },
    { letter = "A", judge = undisturbed.judge_rebalances },
    { letter = "T", judge = judge_latency },
    { letter = "M", judge = judge_holds },
  },
}
