-- Main's part in a simulated game: commits, and assignments from their begin to their end.

local lists = require("spec.support.simulation_lists")
local main = require("spec.support.simulation_main")
local unit = require("unit")

local M = {}

-- The answer to the commit that is under way: the broker took it or not, or is not asked any more.
function M.answer_commit(_, lane)
  local commit = lane.commit
  lane.commit = nil
  if not commit or commit.epoch ~= lane.epoch or math.random(4) == 1 then
    return
  end
  lane.tracker:mark_committed(commit.position)
  lane.offsets:commit(commit.position, lane.tracker)
end

function M.commit(game, lane)
  if lane.tracker and not lane.commit and lane.tracker:is_commit_due() then
    game:note("lane %d commits %d", lane.index, lane.tracker:position())
    lane.commit = { epoch = lane.epoch, position = lane.tracker:position() }
  end
end

local function revoke_from(game, lane, from)
  game:note("lane %d is revoked from %s", lane.index, from)
  local list = game.dispatcher:revoke(lane.handle, from)
  for i, pointer in ipairs(list) do
    list[i] = game.records[pointer]
  end
  game.model:revoke(lane, list, from)
  for _, rec in ipairs(list) do
    lists.remove(lane.kept, rec)
    game.parked:remove(rec)
    game.retries:remove(rec.pointer)
    main.free(game, rec)
  end
end

function M.revoke(game, lane)
  if lane.tracker then
    revoke_from(game, lane)
    assert(#lane.kept == 0)
  end
end

---What stands before something that has begun may begin yet, but nothing passes what failed.
function M.drain(game, lane)
  if not lane.tracker or lane.is_revoked then
    return
  end
  local from = math.huge
  for _, rec in ipairs(lane.kept) do
    from = math.min(from, rec.offset)
  end
  revoke_from(game, lane, math.random(3) == 1 and math.random(0, lane.log_end) or from)
end

-- What main still has of the epoch.
local function end_epoch(game, lane)
  M.revoke(game, lane)
  for _, rec in ipairs(lane.awaited) do
    main.free(game, rec)
  end
  lane.awaited, lane.tracker = {}, nil
end

-- The drain of a revoked lane is over.
function M.drop(game, lane)
  if not lane.is_revoked or not lane.tracker then
    return
  end
  M.answer_commit(game, lane)
  M.commit(game, lane)
  M.answer_commit(game, lane)
  M.lose(game, lane)
end

function M.lose(game, lane)
  if not lane.tracker then
    return
  end
  end_epoch(game, lane)
  game:note("lane %d is dropped", lane.index)
  game.dispatcher:forget(lane.handle)
  game.model:forget(lane)
end

local function begin_epoch(game, lane)
  local start = lane.offsets.committed
  lane.next = lane.offsets.proved
  game:note("lane %d is assigned from %d, epoch %d", lane.index, start, game.next_epoch)
  game.model:assign(lane, game.next_epoch)
  lane.offsets:assign(lane.delivered)
  game.dispatcher:assign(lane.handle, game.next_epoch)
  lane.tracker = unit.offsets.new(start, start)
  game.next_epoch = game.next_epoch + 1
end

function M.assign(game, lane)
  if not lane.tracker then
    begin_epoch(game, lane)
  end
end

function M.seek(game, lane)
  if lane.tracker then
    end_epoch(game, lane)
    begin_epoch(game, lane)
  end
end

return M
