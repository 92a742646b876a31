"""A check's answer, and what was found of an object."""

from dataclasses import dataclass, field
from typing import Any, Literal

Document = dict[str, Any]
Verdict = Literal["ok", "warning", "failed", "unknown"]
Problem = Literal["", "missing", "forbidden", "unreachable"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is well, and what to do if not."""

    what: str
    verdict: Verdict
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An object or a list of the API server, or why there is none."""

    document: Document = field(default_factory=dict)
    problem: Problem = ""
    message: str = ""
    """The API server's words, if there is a problem."""

    @property
    def items(self) -> list[Document]:
        """The objects of a list."""
        items: list[Document] = self.document.get("items") or []
        return items


def report_unreadable(what: str, found: Found, meaning: str) -> Check:
    """Return the check of something that may not be read; `meaning` says what remains unknown."""
    why = "you may not read it" if found.problem == "forbidden" else found.message
    return Check(what, "unknown", f"{meaning}: {why}.")
