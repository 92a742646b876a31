"""What a refusal of the API server says: which verb on which resource, and which role would grant it."""

import re

#: As in `pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "team-a"`.
_REFUSAL = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_READING = frozenset({"get", "list", "watch"})
_LOGS = "the Role tweetbot-logs, which the chart's tenants[].subjects have, or the cluster's own role \"view\""
#: Which role grants reading a resource.
_READERS = {
    "tweetbots": 'the role <release>-view of the chart, or the cluster\'s own role "view"',
    "tweetbotclasses": 'the ClusterRole <release>-classes of the chart, or the cluster\'s own role "view"',
    "pods": _LOGS,
    "pods/log": _LOGS,
    "events": _LOGS,
    "jobs": _LOGS,
    "secrets": 'no role of the chart, as it opens the bucket, but by the cluster\'s own role "edit"',
}
#: Which role grants changing a resource.
_WRITERS = {
    "tweetbots": 'the role <release>-edit of the chart, which tenants[].subjects have, or the cluster\'s own "edit"',
}
_EDITOR = 'no role of the chart, but by the cluster\'s own role "edit"'


def explain_refusal(message: str) -> str | None:
    """Return which right is missing and who grants it, in one sentence. None if the message names no right."""
    found = _REFUSAL.search(message)
    if found is None:
        return None
    verb, resource = found["verb"], found["resource"]
    where = f"in namespace {found['namespace']}" if found["namespace"] else "in all namespaces"
    return f"You may not {verb} {resource} {where}. It is granted by {name_grantor(verb, resource)}."


def name_grantor(verb: str, resource: str) -> str:
    """Return which role grants a right."""
    table = _READERS if verb in _READING else _WRITERS
    return table.get(resource, _EDITOR)
