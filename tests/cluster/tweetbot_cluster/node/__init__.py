"""The process node: a Node whose Pods run as local processes.

It honours command, args, workingDir, env (literals, Secrets, ConfigMaps, downward API), the volumes Secret, ConfigMap,
projected (with tokens), downwardAPI and emptyDir, init containers, native sidecars, termination messages, signals,
grace periods and deadlines, image names by a table, and logs. It does not isolate: no users, no limits, no network and
no file system of a Pod's own, and projected content is written once and not refreshed. What would change a Pod's
meaning and is not honoured (a restart policy, probes, hooks) is refused, see refusals.py.
"""
