-- TweetBot's conditions follow kstatus; the table of states is in docs/gitops.md of the TweetBot operator.
-- kstatus calls a TweetBot current while it trains, so that nobody waits for hours; here it is Progressing.
local waiting = {status = "Progressing", message = "Waiting for the TweetBot operator"}

if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
    return waiting
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
end

-- From the first that holds to the last: a suspended TweetBot has no alarm, an alarm outweighs what goes on.
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
