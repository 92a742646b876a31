-- Starts another run of the same spec, or a failed run again.
if obj.metadata.annotations == nil then
    obj.metadata.annotations = {}
end
obj.metadata.annotations["tweetbot.dev/retrain-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
