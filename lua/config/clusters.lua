-- Which cluster each topic, producer and consumer is on: by its own word, else by what can be told.

local slips = require("lagoon.config.slips")
local words = require("lagoon.config.words")

local M = {}

-- The names that were written, also of those with something wrong in them.
local function names_of(given)
  local names = {}
  if given.cluster ~= nil then
    table.insert(names, "default")
  end
  for name in pairs(type(given.clusters) == "table" and given.clusters or {}) do
    table.insert(names, type(name) == "string" and name or nil)
  end
  table.sort(names)
  return names
end

-- `cluster` is the first, under the name "default"; those of `clusters` follow as they stand.
local function join(config, place)
  local list = config.clusters or {}
  for _, cluster in ipairs(list) do
    cluster.path = words.path("clusters", cluster.name)
    if cluster.name == "default" and config.cluster then
      place:child("clusters"):child("default"):problem(
        "is the name of `cluster`, keep one of them or choose another name")
    end
  end
  if config.cluster then
    config.cluster.name, config.cluster.path = "default", "cluster"
    table.insert(list, 1, config.cluster)
  end
  config.clusters = list
end

-- By its topics, when those that are declared are all on one cluster.
local function by_topics(topics, cluster_of)
  local found
  for _, topic in ipairs(topics) do
    local cluster = cluster_of[topic]
    if cluster and found and cluster ~= found then
      return nil
    end
    found = found or cluster
  end
  return found
end

local function is_one_of(name, names)
  for _, other in ipairs(names) do
    if name == other then
      return true
    end
  end
  return false
end

-- A key that was reported as unknown, and may have meant this one.
local function has_misspelt(given)
  local keys = {}
  for key in pairs(given) do
    table.insert(keys, type(key) == "string" and key or nil)
  end
  return words.nearest("cluster", keys) ~= nil
end

---@class lagoon.config.Naming
---@field names string[] of all clusters
---@field cluster_of table<string, string> of the declared topics
---@field topics_on table<string, lagoon.config.Slips> the declared ones of a cluster
---@field has_default boolean

---@param naming lagoon.config.Naming
---@param item table a topic, producer or consumer
---@param topics string[] that it reads or writes
---@param place lagoon.config.Place its own
local function settle(naming, item, topics, given, place)
  local names = naming.names
  if item.cluster then
    if not is_one_of(item.cluster, names) then
      place:child("cluster"):problem("must be a declared cluster, which is "
        .. words.choices(names), item.cluster, words.nearest(item.cluster, names))
    end
  elseif not has_misspelt(given) then
    item.cluster = #names == 1 and names[1] or by_topics(topics, naming.cluster_of)
      or naming.has_default and "default" or nil
    if not item.cluster then
      place:child("cluster"):problem("is missing, and there is more than one: "
        .. words.choices(names))
    end
  end
end

-- Not a mistake for certain: the other cluster may have a topic of this name too.
local function notice_elsewhere(naming, item, topics, place)
  for _, topic in ipairs(topics) do
    local other = naming.cluster_of[topic]
    if item.cluster and other and other ~= item.cluster then
      place.report:notice(place.entry, ("%s: %s is declared on cluster %s, here it is the one "
        .. "on cluster %s"):format(place.path, place.report:show(topic), place.report:show(other),
        place.report:show(item.cluster)))
    end
  end
end

-- Nor is this one: undeclared topics are waited for.
local function notice_slip(naming, item, topics, place)
  for _, topic in ipairs(topics) do
    local declared = naming.topics_on[item.cluster]
    local meant = declared and not naming.cluster_of[topic] and declared:find(topic)
    if meant then
      place.report:notice(place.entry, ("%s: %s is no declared topic%s"):format(place.path,
        place.report:show(topic), words.did_you_mean(meant)))
    end
  end
end

local function settle_all(naming, list, given, place, topics_of)
  for _, item in ipairs(list or {}) do
    local child = place:child(item.name)
    local topics = topics_of(item)
    settle(naming, item, topics, given[item.name], child)
    notice_elsewhere(naming, item, topics, child)
    notice_slip(naming, item, topics, child)
  end
end

---@param config table whose clusters become one list
---@param given table
---@param place lagoon.config.Place
function M.settle(config, given, place)
  join(config, place)
  local naming = {
    names = names_of(given), cluster_of = {}, topics_on = {},
    has_default = config.cluster ~= nil,
  }
  if #naming.names == 0 then
    if given.clusters == nil and not place.suspects.cluster and not place.suspects.clusters then
      place.report:problem(place.entry, "cluster", "is missing")
    elseif type(given.clusters) == "table" then
      place:child("clusters"):problem("must not be empty")
    end
    return
  end
  settle_all(naming, config.topics, given.topics, place:child("topics"), function()
    return {}
  end)
  for _, topic in ipairs(config.topics or {}) do
    local cluster = topic.cluster or ""
    naming.cluster_of[topic.name] = topic.cluster
    naming.topics_on[cluster] = naming.topics_on[cluster] or slips.new()
    naming.topics_on[cluster]:add(topic.name)
  end
  settle_all(naming, config.producers, given.producers, place:child("producers"), function(producer)
    return { producer.topic }
  end)
  settle_all(naming, config.consumers, given.consumers, place:child("consumers"), function(consumer)
    return consumer.topics or {}
  end)
end

return M
