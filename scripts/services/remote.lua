-- Calls to other services: JSON by POST.

local lagoon = require("lagoon")

local M = {}

---Raises when the service does not do it, so that the record is tried again.
---@param url string
---@param key string tells the service that it has done this before, however often it is asked
---@param request table
---@return any # what the service answers; nil when it says nothing
function M.post(url, key, request)
  local answer, reason = lagoon.http.request({
    method = "POST",
    url = url,
    headers = { ["Content-Type"] = "application/json", ["Idempotency-Key"] = key },
    body = lagoon.json.encode(request),
    timeout = "10s",
  })
  if not answer then
    error(reason, 0)
  elseif answer.status < 200 or answer.status > 299 then
    error(("%s answers %d: %s"):format(url, answer.status, answer.body:sub(1, 200)), 0)
  end
  return answer.body ~= "" and lagoon.json.decode(answer.body) or nil
end

return M
