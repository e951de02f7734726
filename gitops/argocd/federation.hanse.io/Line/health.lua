-- How Argo CD reads the condition Ready. Reasons for which Ready is False while nothing is wrong: work that goes on, or
-- waits for somebody. Any other reason, one that a later version brings too, is a fault that somebody should look at.
local pending = {
  Waiting = true,
  Progressing = true,
  NotFound = true,
  NotApproved = true,
  Invited = true,
  Retiring = true
}

local status = obj.status or {}
if obj.metadata.generation ~= nil and (status.observedGeneration or 0) < obj.metadata.generation then
  return { status = "Progressing", message = "the last change has not been looked at yet" }
end

local ready, stalled, shared
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then ready = condition end
  if condition.type == "Stalled" then stalled = condition end
  if condition.type == "CredentialShared" then shared = condition end
end

for _, fault in ipairs({ stalled or false, shared or false }) do
  if fault and fault.status == "True" then
    return { status = "Degraded", message = fault.message }
  end
end
if ready == nil then
  return { status = "Progressing", message = "waiting for the condition Ready" }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
-- Unknown is lost contact: nothing is known to be wrong.
if ready.status == "Unknown" or pending[ready.reason] then
  return { status = "Progressing", message = ready.message }
end
return { status = "Degraded", message = ready.message }
