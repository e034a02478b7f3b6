-- How specs start Java: Kafka's own programs and its client.

local M = {}

---The jars are in LAGOON_KAFKA_JARS; `make test-kafka` has Maven put them there.
---@param heap string -Xmx128m
---@param ... string the class, or a source file, and its arguments
---@return string[] command
function M.command(heap, ...)
  local jars = assert(os.getenv("LAGOON_KAFKA_JARS"), "LAGOON_KAFKA_JARS is not set")
  return { "java", heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
    "-Dlog4j2.configurationFile=spec/support/kafka/log4j2.properties", "-cp", jars .. "/*", ... }
end

return M
