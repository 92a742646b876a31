"""What a sentence of the cluster says of the cause, and advice that works when it is followed."""

import re
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from tweetbot_contract.reasons.reason import RETRAIN, Reason

#: What to do about what no field of a TweetBot asks for. What has been made keeps it.
FOREIGN = (
    "No field of the TweetBot asks for it: have the TweetBotClass, policy or webhook that does corrected, then "
    f"{RETRAIN}."
)

#: What a sentence's placeholders match. `name` and `resource` are compared with the fields' values.
_PLACEHOLDERS = {"resource": r"[a-z0-9.-]+/[\w.-]*\w", "limit": r"[\w.]*\w", "condition": "[^}]*"}
_PLACEHOLDERS["taint"] = r"(?!node(?:-role)?\.kubernetes\.io/)[^}]*"  # those are no Pod's to tolerate
_NAME = r"[^\s\"',;:]+"


@dataclass(frozen=True, slots=True)
class KnownCause:
    """One cause, by what the cluster says of it."""

    reasons: tuple[Reason, ...]
    """The reasons of a condition under which it is told."""
    says: tuple[str, ...]
    """Parts of sentences, any of which tells it, as Kubernetes writes them: {name} is what it names, … anything."""
    advice: str
    """What to do. It may use the sentence's placeholders, and {fields}."""
    fields: tuple[str, ...] = ()
    """The fields that can cause it. Named are those that hold what the sentence names, or, if it names nothing, that
    are set."""
    otherwise: str = ""
    """What to do if none of them holds that."""
    stage: str = ""
    """The only stage to which it applies, or empty."""

    def find(self, words: str) -> list[dict[str, str]]:
        """Return what the sentence's placeholders stand for, each time that it tells this cause."""
        return [match.groupdict() for part in self.says for match in _compile(part).finditer(words)]


@lru_cache(maxsize=256)
def _compile(part: str) -> re.Pattern[str]:
    pieces = []
    for literal, name, _, _ in Formatter().parse(part):
        pieces.append(re.escape(literal).replace("…", r"\S*?"))
        if name:
            pieces.append(f"(?P<{name}>{_PLACEHOLDERS.get(name, _NAME)})")
    return re.compile("".join(pieces), re.IGNORECASE)
