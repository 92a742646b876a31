-- The conditions of a TweetBot follow kstatus; docs/gitops.md of the TweetBot operator has a table of all states.
-- kstatus takes a training TweetBot for Current, so that nobody waits for hours; here it is Progressing.
local waiting = {status = "Progressing", message = "Waiting for the TweetBot operator"}

if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
    return waiting
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
end

-- The first condition that is True decides: a suspended TweetBot raises no alarm, and an alarm outweighs progress.
local order = {
    {type = "Suspended", health = "Suspended"},
    {type = "Stalled", health = "Degraded"},
    {type = "Reconciling", health = "Progressing"},
    {type = "Progressing", health = "Progressing"},
    {type = "Ready", health = "Healthy"},
}
for _, row in ipairs(order) do
    local condition = conditions[row.type]
    if condition ~= nil and condition.status == "True" then
        return {status = row.health, message = condition.reason .. ": " .. (condition.message or "")}
    end
end
return waiting
