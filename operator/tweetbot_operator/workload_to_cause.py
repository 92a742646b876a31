"""Kueue's Workload of a Job → why it waits, in Kueue's own words."""

from typing import Any

from tweetbot_operator.text import printable

Manifest = dict[str, Any]
#: Conditions that say why a Workload has no place: what it waits for now, else why it had to give its place back.
_TELLING = ("QuotaReserved", "Evicted")


def cause_in(workloads: list[Manifest]) -> str:
    """Return what the newest Workload of a Job complains of; empty where Kueue has made none, or says nothing."""
    if not workloads:
        return ""
    newest = max(workloads, key=lambda each: str(each["metadata"]["creationTimestamp"]))
    conditions = {each["type"]: each for each in (newest.get("status") or {}).get("conditions") or ()}
    words = [_words(conditions[type_], type_) for type_ in _TELLING if type_ in conditions]
    return next(filter(None, words), "")


def _words(condition: Manifest, type_: str) -> str:
    """A quota is missing while its condition is False; an eviction stands while its is True."""
    told = condition["status"] == ("True" if type_ == "Evicted" else "False")
    return printable(str(condition.get("message", "")), 700) if told else ""
