-- The verdicts: what they say, and whether one is broken.

local letters = require("spec.chaos.letters")
local places = require("spec.chaos.places")

local M = {}

-- Everything has to be handled and committed so soon after the last fault.
M.DRAIN_MS = 60000

local function is_bounded(rig)
  return rig.scenario.may_repeat ~= false
end

local function allowed(rig)
  return is_bounded(rig) and rig.bound:total() or 0
end

---Whether a promise other than a timely end is broken by what is known so far.
---@param rig spec.Rig
---@return boolean
function M.is_broken(rig)
  return next(rig.judge.verdicts.counts) ~= nil or #rig.members.wrong > 0
    or rig.judge.verdicts.again > allowed(rig)
end

local function judge_loss(rig, lost, total)
  local acknowledged = rig.traffic and rig.traffic.writer:counts() or 0
  if total < acknowledged then
    return false, ("%d of %d acknowledged records are not on the topic"):format(
      acknowledged - total, acknowledged)
  end
  local text = ("%d of %d records of %s lost"):format(lost.count, total, rig.judge.topic)
  return lost.count == 0, text .. places.list_of(lost)
end

-- Known only when the run came to its end.
local function judge_letters(rig)
  local count, missing, unasked, twice = letters.compare(rig)
  local is_good = #missing == 0 and #unasked == 0 and (#twice == 0 or is_bounded(rig))
  return is_good, ("%d dead letters; of what was given up %d are missing%s; %d were not given up%s;"
    .. " %d are there more than once%s"):format(count, #missing, places.list_of(missing), #unasked,
    places.list_of(unasked), #twice, places.list_of(twice))
end

local function judge_published(rig)
  local missing = letters.unpublished(rig)
  return #missing == 0, ("of %d records that publish, %d published nothing%s"):format(
    #rig.publishing, #missing, places.list_of(missing))
end

local function judge_repeats(rig)
  local again, bound = rig.judge.verdicts.again, rig.bound
  if not is_bounded(rig) then
    return again == 0, ("%d handled again; none may be"):format(again)
  end
  return again <= bound:total(), ("%d handled again; at %d faults at most %d: rate x commit "
    .. "interval %d + window %d + completed ahead %d"):format(again, bound.faults, bound:total(),
    bound.rate, bound.window, bound.ahead)
end

local function judge_letter(rig, letter, good)
  local count = rig.judge.verdicts.counts[letter] or 0
  if count == 0 then
    return true, good
  end
  local sentences = rig.judge.verdicts.sentences[letter]
  return false, ("%d times, first: %s"):format(count, table.concat(sentences, "; ", 1,
    math.min(#sentences, 5)))
end

-- What need not be handled to the end need not be handled again either.
local function judge_last_commit(rig, late)
  local verdicts, behind = rig.judge.verdicts, {}
  for partition = 0, rig.judge.partitions - 1 do
    local committed, safe = verdicts.committed[partition] or 0, verdicts:advance(partition)
    if committed < safe then
      table.insert(behind, ("[%d]@%d of %d"):format(partition, committed, safe))
    end
  end
  return #behind == 0, ("%d are left to handle; %d partitions stand behind what was handled%s")
    :format(late.count, #behind, places.list_of(behind))
end

local function judge_drain(rig, late)
  if rig.scenario.drains == false and not rig.stopped_by then
    return judge_last_commit(rig, late)
  end
  if rig.drained_s then
    return true, ("handled and committed %.1f s after the last record"):format(rig.drained_s)
  end
  local reason = tostring(rig.stopped_by):match("[^\n]*")
  return false, ("%s; %d not handled%s"):format(reason, late.count, places.list_of(late))
end

local function judge_ends(rig)
  local wrong = rig.members.wrong
  return #wrong == 0, #wrong == 0 and ("all %d processes ended as they were told to"):format(
    #rig.members.all) or table.concat(wrong, "; ")
end

local function has_check(rig, letter)
  for _, check in ipairs(rig.scenario.checks or {}) do
    if check.letter == letter then
      return true
    end
  end
  return false
end

---What is to be said of each promise by now.
---@param rig spec.Rig
---@return {letter: string, is_good: boolean, text: string}[]
function M.collect(rig)
  local lost, late, total = places.split_missing(rig)
  local verdicts = {}
  local function add(letter, is_good, text)
    table.insert(verdicts, { letter = letter, is_good = is_good, text = text })
  end
  add("L", judge_loss(rig, lost, total))
  add("D", judge_repeats(rig))
  add("O", judge_letter(rig, "O", ("order kept; %d times beside what was left over"):format(
    rig.leftovers)))
  add("S", judge_letter(rig, "S", ("no commit passed unfinished work in %d samples"):format(
    rig.judge.samples)))
  add("C", judge_letter(rig, "C", "no commit went back"))
  -- Cut short by another verdict, it has nothing to say.
  if rig.stopped_by ~= require("spec.chaos.rig").BROKEN then
    add("Q", judge_drain(rig, late))
  end
  add("E", judge_ends(rig))
  if not rig.stopped_by and not has_check(rig, "G") then
    add("G", judge_letters(rig))
  end
  if not rig.stopped_by and rig.scenario.publishes then
    add("P", judge_published(rig))
  end
  for _, check in ipairs(not rig.stopped_by and rig.scenario.checks or {}) do
    add(check.letter, check.judge(rig))
  end
  return verdicts
end

local function tell_memory(rig)
  local peak = 0
  for _, member in ipairs(rig.members.all) do
    peak = math.max(peak, member.peak_bytes)
  end
  rig:say("at most %.0f MiB resident in a member; %d records sent, %d handled, %d tries failed",
    peak / 1048576, rig.traffic and rig.traffic.sent or 0, rig.judge.verdicts.handled,
    rig.judge.verdicts.failed)
end

---Prints what there is to say.
---@param rig spec.Rig
---@return boolean is_good, integer passed, integer failed
function M.tell(rig)
  if not rig.members then
    rig:say("%s", rig.stopped_by)
    return false, 0, 1
  end
  tell_memory(rig)
  local passed, failed = 0, 0
  for _, verdict in ipairs(M.collect(rig)) do
    passed = passed + (verdict.is_good and 1 or 0)
    failed = failed + (verdict.is_good and 0 or 1)
    print(("%s %s  %s"):format(verdict.letter, verdict.is_good and "ok    " or "BROKEN",
      verdict.text))
  end
  if rig.stopped_by and failed == 0 then
    failed = 1
    rig:say("%s", rig.stopped_by)
  end
  return failed == 0, passed, failed
end

return M
